#pragma once

#include "log/segment_index.hpp"
#include "types.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>

namespace mini_broker {

/// Where the newest entries of a log lie: what replication and commit ask for all the time.
class Tail {
public:
    static constexpr std::size_t kEntries = 1024;

    void push(const Located& entry) {
        if (!entries_.empty() && entries_.back().index + 1 != entry.index) entries_.clear();
        if (entries_.size() == kEntries) entries_.pop_front();
        entries_.push_back(entry);
    }

    void drop_before(Index index) noexcept {
        while (!entries_.empty() && entries_.front().index < index) entries_.pop_front();
    }

    [[nodiscard]] const Located* find(Index index) const noexcept {
        if (entries_.empty() || index < entries_.front().index) return nullptr;
        const Index after = index - entries_.front().index;
        return after < entries_.size() ? &entries_[static_cast<std::size_t>(after)] : nullptr;
    }

    /// The first entry that ends beyond `offset`, where no older one can.
    [[nodiscard]] const Located* find_offset(Offset offset) const noexcept {
        if (entries_.empty() || offset < entries_.front().base_offset) return nullptr;
        const auto found = std::partition_point(
            entries_.begin(), entries_.end(),
            [offset](const Located& entry) { return entry.next_offset <= offset; });
        return found == entries_.end() ? nullptr : &*found;
    }

private:
    std::deque<Located> entries_; // without a gap
};

} // namespace mini_broker
