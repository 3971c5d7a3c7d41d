#pragma once

#include <insync/detail/name.hpp>
#include <insync/detail/reuse_guard.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace insync::detail {

/// Runs of atomic words for readers to look at: state words, long names, directories, hash slots.
///
/// A run that is given back is kept for the next request of its kind and size, and used again only
/// when the guard allows it. Kind and size of a run never change, so a reader that follows a link
/// from one use into the next still finds the kind of word it expects, and as many. Memory stays
/// until the arena is destroyed: it is bounded by the most that was ever in use of each kind and
/// size at one time, not by the number of changes.
///
/// Thread safety: one thread at a time (the registry's mutex).
class CellArena {
public:
    enum class Kind : std::uint8_t { state_words, name, directory, slots };

    explicit CellArena(ReuseGuard& guard) noexcept : guard_(guard) {}

    /// `count` words of zero. Throws `std::bad_alloc`, and then nothing has changed.
    [[nodiscard]] Cell* take(Kind kind, std::size_t count) {
        Spare& spare = spare_[{kind, count}];
        if (!spare.runs.empty() && guard_.may_reuse()) {
            Cell* const run = spare.runs.back();
            spare.runs.pop_back();
            for (std::size_t i = 0; i < count; ++i) run[i].store(0, std::memory_order_release);
            return run;
        }
        // Room in the free list for the day it comes back, so that `give` cannot fail.
        if (spare.runs.capacity() <= spare.taken) spare.runs.reserve(2 * spare.taken + 1);
        if (left_ < count) {
            block_ = std::min(2 * block_, kLargestBlock);
            const std::size_t cells = std::max(block_, count);
            blocks_.push_back(std::make_unique<Cell[]>(cells));
            next_ = blocks_.back().get();
            left_ = cells;
        }
        Cell* const run = next_;
        next_ += count;
        left_ -= count;
        ++spare.taken;
        return run;
    }

    /// Takes back a run that is not linked any more.
    void give(Cell* run, Kind kind, std::size_t count) noexcept {
        spare_.find({kind, count})->second.runs.push_back(run);
    }

private:
    static constexpr std::size_t kLargestBlock = 8192;

    struct Spare {
        std::vector<Cell*> runs;
        std::size_t taken = 0; // ever, which is how many may be given back
    };

    ReuseGuard& guard_;
    std::vector<std::unique_ptr<Cell[]>> blocks_;
    std::map<std::pair<Kind, std::size_t>, Spare> spare_;
    Cell* next_ = nullptr;
    std::size_t left_ = 0;
    std::size_t block_ = 128;
};

} // namespace insync::detail
