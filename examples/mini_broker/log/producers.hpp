#pragma once

#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// The part of a record batch's header that idempotence is about (KIP-98).
struct ProducerBatch {
    std::int64_t producer = -1;
    std::int16_t epoch = -1;
    std::int32_t first_sequence = -1;
    std::int32_t last_sequence = -1;
};

/// The one after: sequences wrap round from 2^31 - 1 to 0.
[[nodiscard]] std::int32_t next_sequence(std::int32_t sequence) noexcept;

/// What the idempotent producers of one partition wrote last: the newest five batches of each, by
/// which a retry is told from a new batch (Kafka's ProducerStateManager).
///
/// Of so many producers only that wrote last. Which ones that are follows from the log alone, so
/// that every replica has the same; one that was forgotten is taken for a new one.
class Producers {
public:
    static constexpr std::size_t kBatchesKept = 5;
    static constexpr std::size_t kProducersKept = 10'000;

    struct Known {
        ProducerBatch batch;
        Index index = 0;
        Offset base_offset = 0;
    };
    enum class Verdict : std::uint8_t {
        append,       ///< new, and next in sequence (or of a producer that is not known)
        duplicate,    ///< appended before: `known` says where
        out_of_order, ///< a gap, or a duplicate older than what is kept
        old_epoch,    ///< a newer instance of the same producer has written since
    };
    struct Answer {
        Verdict verdict = Verdict::append;
        Known known;
    };

    [[nodiscard]] Answer check(const ProducerBatch& batch) const;
    /// Takes in a batch that was appended; batches without a producer change nothing.
    /// \pre `index` is larger than any before
    void note(const ProducerBatch& batch, Index index, Offset base_offset, std::int64_t timestamp);
    [[nodiscard]] std::size_t size() const noexcept;

    /// As bytes, to be kept beside a segment; `decode` gives nothing for bytes that are no such.
    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static std::optional<Producers> decode(std::string_view bytes);

private:
    struct Producer {
        std::int16_t epoch = -1;
        std::int64_t timestamp = 0;
        std::vector<Known> newest; // at most kBatchesKept, oldest first
    };
    std::map<std::int64_t, Producer> producers_;
    std::map<Index, std::int64_t> by_newest_; // producers by the entry that they wrote last
};

} // namespace mini_broker
