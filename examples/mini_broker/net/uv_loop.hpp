#pragma once

#include "io/loop.hpp"
#include "types.hpp"

#include <uv.h>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace mini_broker {

/// The real loop: libuv's, with the system's monotonic clock and libuv's worker threads.
///
/// No exception may pass through libuv, so whatever its callbacks call runs in `guard`: the first
/// exception stops the loop and goes to `fail`.
///
/// Who keeps handles of this loop closes them before it is destroyed; it waits for their last
/// callbacks. Sets SIGPIPE to be ignored, as writing to a closed socket is an error like others.
///
/// \par Thread safety
///     The loop's thread only, but for `post`.
class UvLoop final : public Loop {
public:
    using Fail = std::function<void(std::exception_ptr)>;

    /// Without `fail`, `run` throws what it would have been given.
    explicit UvLoop(Fail fail = nullptr);
    ~UvLoop() override;
    UvLoop(const UvLoop&) = delete;
    UvLoop& operator=(const UvLoop&) = delete;

    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] std::int64_t wall_ms() const noexcept override;
    void in_background(std::function<void()> work, std::function<void()> done) override;
    void after(Millis delay, std::function<void()> task) override;

    /// Runs `task` on the loop's thread, soon. Callable on any thread.
    void post(std::function<void()> task);

    /// Turns until `stop` or a failure. When it returns, no background work is running; what was
    /// done of it is told in the next `run`, if there is one.
    void run();
    /// Ends `run` with the present turn.
    void stop() noexcept;

    using HookId = std::uint64_t;
    /// Calls `hook` in every turn before the loop waits for something to happen: when all that was
    /// caused by the last events is done. Newest first, so that what is made of others comes
    /// before these.
    HookId at_end_of_turn(std::function<void()> hook);
    void remove_hook(HookId id) noexcept;

    /// Calls `handle` whenever the process gets this signal.
    void on_signal(int signal, std::function<void()> handle);

    /// Runs `step`; an exception stops the loop.
    template <class Step>
    void guard(Step&& step) noexcept {
        try {
            step();
        } catch (...) {
            failed(std::current_exception());
        }
    }

    [[nodiscard]] uv_loop_t* native() noexcept { return &loop_; }
    /// Where a read may put its bytes until its callback returns; one for all sockets.
    [[nodiscard]] uv_buf_t read_buffer() noexcept;

private:
    struct Work;
    struct Signal;

    void failed(std::exception_ptr exception) noexcept;
    void run_due_tasks();
    void run_posted_tasks();
    void run_hooks();
    void start_timer();
    void work_finished() noexcept;
    void wait_for_work();

    Fail fail_;
    std::exception_ptr failure_;
    bool closing_ = false;
    uv_loop_t loop_{};
    uv_timer_t timer_{};
    uv_prepare_t prepare_{};
    uv_async_t async_{};
    std::multimap<TimePoint, std::function<void()>> tasks_; // of `after`, by when they are due
    std::map<HookId, std::function<void()>, std::greater<>> hooks_;
    HookId next_hook_ = 1;
    std::vector<std::unique_ptr<Signal>> signals_;
    std::mutex mutex_; // guards the following
    std::condition_variable no_work_;
    std::size_t working_ = 0;
    std::vector<std::function<void()>> posted_;
    std::array<char, 65536> read_buffer_{};
};

} // namespace mini_broker
