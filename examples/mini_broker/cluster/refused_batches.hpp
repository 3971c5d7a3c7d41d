#pragma once

#include "log/producers.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <map>

namespace mini_broker {

/// Batches of idempotent producers that one partition misses: it refused them before the append, or
/// one behind them has come first, and they will come again.
///
/// What the producer sent behind one must be refused as something to try again, not as out of
/// order. A client that hears "out of order" numbers anew all that it has in flight, in every
/// partition, which doubles what was appended without its knowledge (librdkafka, which after a
/// change of leader may itself send a batch before the retry of an older one). And of a producer
/// that the log does not know any first number is taken (KIP-360), so records would change places.
class RefusedBatches {
public:
    /// A retry is waited for so long after the last refusal. Who has given up hears of the gap
    /// after that, and begins anew.
    static constexpr Millis kAwaited{5'000};
    static constexpr std::size_t kMost = 10'000; ///< producers; of others nothing is remembered

    /// A batch was refused; only the first of a row matters.
    void note(const ProducerBatch& batch, TimePoint now);
    /// A batch was let in: what was refused before it is not waited for any more.
    void taken(const ProducerBatch& batch);
    /// Whether a batch that was sent before this one is still to come again.
    [[nodiscard]] bool is_behind(const ProducerBatch& batch, TimePoint now) const;
    /// The same of a batch before which the one that begins with `missing` is not in the log: also
    /// where that was never refused here.
    [[nodiscard]] bool is_behind(const ProducerBatch& batch, std::int32_t missing, TimePoint now);

private:
    struct Refused {
        std::int16_t epoch = -1;
        std::int32_t first_sequence = -1;
        TimePoint at{};
    };
    std::map<std::int64_t, Refused> refused_;
};

} // namespace mini_broker
