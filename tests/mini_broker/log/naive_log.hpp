#pragma once

#include "log/partition_log.hpp"
#include "log/record_batch.hpp"
#include "mini_broker/log/batches.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace log_test {

using mini_broker::BatchHeader;
using mini_broker::Entry;
using mini_broker::EntryKind;
using mini_broker::Index;
using mini_broker::PartitionLog;
using mini_broker::Producers;

/// A log as a list of batches; those that were dropped from its front are still in it.
struct NaiveLog {
    Index origin = 1; ///< index of the first batch in the list
    Offset origin_offset = 0;
    Index first = 1; ///< what is before it was dropped
    std::vector<std::string> batches;

    [[nodiscard]] Index last() const { return origin + batches.size() - 1; }
    [[nodiscard]] const std::string& batch(Index index) const {
        return batches[static_cast<std::size_t>(index - origin)];
    }
    [[nodiscard]] BatchHeader header(Index index) const {
        return *mini_broker::parse_header(batch(index));
    }
    [[nodiscard]] Offset offset_after(Index index) const {
        return index < origin ? origin_offset : header(index).next_offset();
    }
    [[nodiscard]] Offset end() const { return offset_after(last()); }
    [[nodiscard]] Term last_term() const { return batches.empty() ? 1 : header(last()).term; }
    void truncate_after(Index index) {
        while (last() > index && last() >= first) batches.pop_back();
    }

    [[nodiscard]] Entry entry(Index index) const {
        const BatchHeader h = header(index);
        return {index,         h.term,          mini_broker::kind_of(batch(index)),
                h.base_offset, h.next_offset(), h.size};
    }
    [[nodiscard]] Producers producers() const {
        Producers known;
        for (Index i = origin; i <= last(); ++i) {
            const BatchHeader h = header(i);
            known.note(h.producer, i, h.base_offset, h.max_timestamp);
        }
        return known;
    }
    [[nodiscard]] std::string records(Offset offset, Index upto, std::size_t max_bytes) const {
        std::string bytes;
        for (Index i = first; i <= std::min(upto, last()); ++i) {
            const BatchHeader h = header(i);
            if (h.control() || h.next_offset() <= offset) continue;
            if (!bytes.empty() && bytes.size() + h.size > max_bytes) break;
            bytes += batch(i);
        }
        return bytes;
    }
    [[nodiscard]] PartitionLog::Timestamped with_timestamp(std::int64_t least, Index upto) const {
        for (Index i = first; i <= std::min(upto, last()); ++i) {
            const BatchHeader h = header(i);
            if (!h.control() && h.max_timestamp >= least) {
                return {h.max_timestamp, h.base_offset, h.term};
            }
        }
        return {};
    }
    [[nodiscard]] PartitionLog::Timestamped newest(Index upto) const {
        std::int64_t most = -1;
        for (Index i = first; i <= std::min(upto, last()); ++i) {
            if (!header(i).control()) most = std::max(most, header(i).max_timestamp);
        }
        return most < 0 ? PartitionLog::Timestamped{} : with_timestamp(most, upto);
    }
    [[nodiscard]] PartitionLog::TermEnd end_of_term(Term term) const {
        PartitionLog::TermEnd found;
        for (Index i = first; i <= last() && header(i).term <= term; ++i) {
            found = {static_cast<std::int64_t>(header(i).term), end()};
        }
        for (Index i = last(); i >= first && i > 0 && header(i).term > term; --i) {
            if (found.term >= 0) found.end = header(i).base_offset;
        }
        return found;
    }
};

inline bool same(const Entry& a, const Entry& b) {
    return a.index == b.index && a.term == b.term && a.kind == b.kind &&
           a.base_offset == b.base_offset && a.next_offset == b.next_offset && a.size == b.size;
}

inline bool same(const PartitionLog::Timestamped& a, const PartitionLog::Timestamped& b) {
    return a.timestamp == b.timestamp && a.offset == b.offset && a.term == b.term;
}

/// Whether the ends are where they must be, and every batch and producer is.
inline void check_content(const PartitionLog& log, const NaiveLog& naive) {
    REQUIRE(log.first_index() == naive.first);
    REQUIRE(log.last_index() == naive.last());
    REQUIRE(log.start_offset() == naive.offset_after(naive.first - 1));
    REQUIRE(log.end_offset() == naive.end());
    std::string due;
    for (Index i = naive.first; i <= naive.last(); ++i) due += naive.batch(i);
    std::string bytes;
    log.read_entries(naive.first, naive.last(), bytes);
    REQUIRE(bytes == due);
    REQUIRE(log.size_bytes() == due.size());
    REQUIRE(log.producers().encode() == naive.producers().encode());
}

} // namespace log_test
