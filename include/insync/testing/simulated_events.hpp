#pragma once

#include <insync/testing/simulated_log.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace insync::testing {

/// One thing that befalls one replica: a message that arrives, or something of its own.
struct SimulatedEvent {
    enum class Kind : std::uint8_t {
        append,
        append_result,
        vote,
        vote_result,
        timer,
        campaign,
        flush
    };

    Kind kind = Kind::timer;
    bool accepted = false;
    bool transfer = false; ///< a vote that is asked for although there is a leader
    NodeId from = kNoNode;
    NodeId to = kNoNode;
    std::uint32_t group = 0;
    /// Of the node or of the timer that it was meant for; another one by now knows nothing of it.
    std::uint64_t generation = 0;
    std::uint32_t from_disk = 0; ///< on which the sender is
    std::uint32_t to_disk = 0; ///< for whom it was meant: a node on another disk is another member
    Epoch epoch = 0;
    Index previous = 0; ///< the entry before those that are sent; or the candidate's last
    Epoch previous_epoch = 0;
    Index match = 0; ///< held durably, where accepted; else from where to try again
    Index commit = 0;
    TimePoint sent{}; ///< by the leader's own clock, when the request left
    LogEntries entries;
};

/// Virtual time, and what is to happen in it, in order of time and then of coming in.
class EventLine {
public:
    [[nodiscard]] TimePoint now() const noexcept { return now_; }
    void set_now(TimePoint now) noexcept { now_ = std::max(now_, now); }

    void add(TimePoint when, SimulatedEvent event) {
        std::uint32_t slot = 0;
        if (free_.empty()) {
            slot = static_cast<std::uint32_t>(events_.size());
            events_.push_back(std::move(event));
        } else {
            slot = free_.back();
            free_.pop_back();
            events_[slot] = std::move(event);
        }
        order_.push_back({std::max(when, now_), ++added_, slot});
        std::push_heap(order_.begin(), order_.end(), is_later);
    }

    /// When the next is due; `TimePoint::max()` when there is none.
    [[nodiscard]] TimePoint due() const noexcept {
        return order_.empty() ? TimePoint::max() : order_.front().when;
    }
    /// Takes out the next, and moves time on to it. \pre there is one
    SimulatedEvent take() {
        std::pop_heap(order_.begin(), order_.end(), is_later);
        const Due due = order_.back();
        order_.pop_back();
        now_ = due.when;
        free_.push_back(due.slot);
        return std::move(events_[due.slot]);
    }

private:
    struct Due {
        TimePoint when;
        std::uint64_t number;
        std::uint32_t slot;
    };
    static bool is_later(const Due& a, const Due& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.number > b.number;
    }

    TimePoint now_{};
    std::uint64_t added_ = 0;
    std::vector<Due> order_; // a heap
    std::vector<SimulatedEvent> events_;
    std::vector<std::uint32_t> free_;
};

} // namespace insync::testing
