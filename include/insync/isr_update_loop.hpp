#pragma once

#include <insync/types.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace insync {

/// A thread that drives a manager, for hosts that have no loop or scheduler of their own: it calls
/// `tick()` whenever `next_deadline()` says that there is something to do.
///
/// The deadline is on the manager's clock, the thread sleeps in real time, and nobody tells it when
/// a wait is registered with an earlier deadline. So it sleeps until the deadline, and never longer
/// than `longest_pause`: that is by how much a wait may end late, and after how long a manual clock
/// that was moved is noticed. `poke` cuts a pause short.
///
/// An exception out of `tick` (no memory) does not end the thread; it is counted, and the next
/// round comes after the pause.
///
/// \tparam Manager  an `IsrManager`, or what has its `tick`, `next_deadline`, `clock` and `config`
/// \par Thread safety
///     Safe, construction and destruction excepted. The loop must be destroyed before the manager,
///     and not inside one of the manager's callbacks.
///
/// **Example**:
///
///     insync::IsrManager isr{node_id, view, config};
///     insync::IsrUpdateLoop loop{isr};
///     loop.start();
template <class Manager>
class IsrUpdateLoop {
public:
    /// Pauses for at most the manager's check interval or 100 ms, whichever is shorter.
    explicit IsrUpdateLoop(Manager& manager)
        : IsrUpdateLoop(manager, std::min(manager.config().check_interval_ms, kDefaultPause)) {}
    /// \param longest_pause  at least 1 ms; less is taken for that
    IsrUpdateLoop(Manager& manager, Millis longest_pause)
        : manager_(manager), longest_pause_(std::max(longest_pause, kShortestPause)) {}
    IsrUpdateLoop(const IsrUpdateLoop&) = delete;
    IsrUpdateLoop& operator=(const IsrUpdateLoop&) = delete;
    ~IsrUpdateLoop() { stop(); }

    /// Starts the thread, unless it runs. A loop that was stopped can be started again, except on
    /// its own thread, where this does nothing. Throws `std::system_error` if there is no thread.
    void start() {
        if (on_own_thread()) return;
        const std::lock_guard lifecycle{lifecycle_};
        if (running()) return;
        if (thread_.joinable()) thread_.join(); // stopped on its own thread, and on its way out
        set(State::running);
        try {
            thread_ = std::thread{[this] { run(); }};
        } catch (...) {
            set(State::stopped);
            throw;
        }
    }

    /// Stops the thread and waits for its end. Inside a callback on that very thread it cannot
    /// wait: the thread then ends as soon as its `tick` returns. Idempotent.
    void stop() {
        if (on_own_thread()) return set(State::stopped);
        // Taken by nobody on the loop's own thread: a callback that stops the loop would otherwise
        // wait for the one who waits for its thread.
        const std::lock_guard lifecycle{lifecycle_};
        set(State::stopped);
        if (thread_.joinable()) thread_.join();
    }

    /// Makes the thread call `tick` now rather than after its pause. Takes a mutex that is never
    /// held during a `tick`, so it is legal in every callback.
    void poke() {
        {
            const std::lock_guard lock{mutex_};
            poked_ = true;
        }
        wake_.notify_all();
    }

    /// Whether it was started and has not been told to stop since.
    [[nodiscard]] bool running() const {
        const std::lock_guard lock{mutex_};
        return state_ == State::running;
    }

    /// How many exceptions came out of `tick`.
    [[nodiscard]] std::uint64_t exceptions() const noexcept {
        return exceptions_.load(std::memory_order_relaxed);
    }

private:
    enum class State : std::uint8_t { stopped, running };

    static constexpr Millis kDefaultPause{100};
    // Where a deadline has passed and stays, as while another thread is at the sweep, this keeps
    // the loop from spinning.
    static constexpr Millis kShortestPause{1};

    void run() noexcept {
        std::unique_lock lock{mutex_};
        own_thread_ = std::this_thread::get_id();
        while (state_ == State::running) {
            poked_ = false;
            lock.unlock();
            const Millis pause = tick();
            lock.lock();
            wake_.wait_for(lock, pause, [this] { return poked_ || state_ != State::running; });
        }
        // A later thread may be given the same id, and must not be taken for this one.
        own_thread_ = {};
    }

    /// \return how long to pause then
    Millis tick() noexcept {
        try {
            manager_.tick();
        } catch (...) {
            exceptions_.fetch_add(1, std::memory_order_relaxed);
            return longest_pause_;
        }
        const Millis left = saturating_age(manager_.next_deadline(), manager_.clock().now());
        return std::clamp(left, kShortestPause, longest_pause_);
    }

    void set(State state) {
        {
            const std::lock_guard lock{mutex_};
            state_ = state;
        }
        wake_.notify_all();
    }

    [[nodiscard]] bool on_own_thread() const {
        const std::lock_guard lock{mutex_};
        return own_thread_ == std::this_thread::get_id();
    }

    Manager& manager_;
    const Millis longest_pause_;
    std::mutex lifecycle_; // guards thread_; orders those who start and stop from outside
    std::thread thread_;
    mutable std::mutex mutex_; // guards what follows
    std::condition_variable wake_;
    State state_ = State::stopped;
    bool poked_ = false;
    std::thread::id own_thread_;
    std::atomic<std::uint64_t> exceptions_{0};
};

} // namespace insync
