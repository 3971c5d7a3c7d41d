#pragma once

#include <insync/counters.hpp>
#include <insync/events.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace insync {

/// Names a listener, to unsubscribe it.
enum class Subscription : std::uint64_t {};

namespace detail {

/// Brings changes to the listeners and the log: in order, each exactly once, one at a time, with no
/// lock held (S4).
///
/// A change is queued while its partition's lock is held, so the queue has each partition's changes
/// in the order of their versions. Whoever calls `drain` first delivers, for all; a call that finds
/// another at it, or comes from inside a callback, leaves its changes to that one.
class EventQueue {
public:
    struct Numbered {
        IsrChange change;
        std::string notice;       ///< where there is one, a line for the log instead of a change
        std::uint64_t number = 0; ///< in the order of queueing
    };
    using Prepared = std::list<Numbered>;

    explicit EventQueue(AtomicCounters& counters) noexcept : counters_(counters) {}

    /// Whether anybody would get to see a change: if not, none needs to be described.
    [[nodiscard]] bool wanted() const noexcept { return wanted_.load(std::memory_order_acquire); }

    /// Queues a change that was prepared before; cannot fail.
    void push(Prepared& prepared) noexcept {
        const std::lock_guard lock{mutex_};
        for (Numbered& one : prepared) one.number = ++last_number_;
        queue_.splice(queue_.end(), prepared);
        pending_.store(true, std::memory_order_release);
    }

    /// Whether something waits to be delivered.
    [[nodiscard]] bool pending() const noexcept { return pending_.load(std::memory_order_acquire); }

    /// Delivers what is queued, unless another thread is at it.
    void drain() noexcept {
        if (!pending()) return;
        std::unique_lock lock{mutex_};
        if (delivering_) return;
        delivering_ = true;
        deliverer_ = std::this_thread::get_id();
        while (!queue_.empty()) {
            Prepared one;
            one.splice(one.end(), queue_, queue_.begin());
            deliver(one.front(), lock);
        }
        pending_.store(false, std::memory_order_relaxed);
        forget_removed();
        delivering_ = false;
        deliverer_ = {};
        lock.unlock();
        idle_.notify_all();
    }

    Subscription subscribe(IsrListener listener) {
        const std::lock_guard lock{mutex_};
        listeners_.push_back({Subscription{++last_id_}, std::move(listener), last_number_, false});
        update_wanted();
        return listeners_.back().id;
    }

    void unsubscribe(Subscription id) {
        std::unique_lock lock{mutex_};
        for (Listener& listener : listeners_)
            if (listener.id == id) listener.removed = true;
        settle(lock);
    }

    void set_log_sink(LogSink sink) {
        std::unique_lock lock{mutex_};
        for (Sink& old : sinks_) old.removed = true;
        if (sink) sinks_.push_back({std::move(sink), last_number_, false});
        settle(lock);
    }

private:
    struct Listener {
        Subscription id;
        IsrListener call;
        std::uint64_t since; ///< changes up to this number came before it
        bool removed;
    };
    struct Sink {
        LogSink call;
        std::uint64_t since;
        bool removed;
    };

    /// Waits until nothing that was removed is running any more; from inside a callback it cannot
    /// wait for itself, and need not.
    void settle(std::unique_lock<std::mutex>& lock) {
        if (deliverer_ != std::this_thread::get_id())
            idle_.wait(lock, [&] { return !delivering_; });
        if (!delivering_) forget_removed();
        update_wanted();
    }

    void forget_removed() noexcept {
        listeners_.remove_if([](const Listener& listener) { return listener.removed; });
        sinks_.remove_if([](const Sink& sink) { return sink.removed; });
    }

    void update_wanted() noexcept {
        bool any = false;
        for (const Listener& listener : listeners_) any = any || !listener.removed;
        for (const Sink& sink : sinks_) any = any || !sink.removed;
        wanted_.store(any, std::memory_order_release);
    }

    /// List nodes do not move and are erased only when nobody delivers, so they can be called
    /// without the lock; it is taken to step from one to the next.
    void deliver(const Numbered& one, std::unique_lock<std::mutex>& lock) noexcept {
        const IsrChange& change = one.change;
        if (!one.notice.empty()) return log(one, one.notice, lock);
        for (Listener& listener : listeners_) {
            if (listener.removed || one.number <= listener.since) continue;
            lock.unlock();
            guarded([&] { listener.call(change); });
            lock.lock();
        }
        const bool decided_here = change.cause != ChangeCause::published;
        if (!decided_here || sinks_.empty()) return;
        for (const MovedReplica& moved : change.moved) {
            std::string line;
            guarded([&] { line = log_line(change, moved); });
            if (!line.empty()) log(one, line, lock); // else there was no memory for it: counted
        }
    }

    void log(const Numbered& one,
             std::string_view line,
             std::unique_lock<std::mutex>& lock) noexcept {
        for (Sink& sink : sinks_) {
            if (sink.removed || one.number <= sink.since) continue;
            lock.unlock();
            guarded([&] { sink.call(line); });
            lock.lock();
        }
    }

    template <class Call>
    void guarded(const Call& call) noexcept {
        try {
            call();
        } catch (...) {
            AtomicCounters::add(counters_.callbacks_thrown);
        }
    }

    AtomicCounters& counters_;
    std::atomic<bool> wanted_{false};
    std::atomic<bool> pending_{false};
    std::mutex mutex_;
    std::condition_variable idle_;
    Prepared queue_;
    std::list<Listener> listeners_;
    std::list<Sink> sinks_;
    std::uint64_t last_id_ = 0;
    std::uint64_t last_number_ = 0;
    bool delivering_ = false;
    std::thread::id deliverer_;
};

} // namespace detail
} // namespace insync
