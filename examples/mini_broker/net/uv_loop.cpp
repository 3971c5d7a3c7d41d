#include "net/uv_loop.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace mini_broker {
namespace {

void check(int result, const char* what) {
    if (result < 0) throw std::runtime_error{std::string{what} + ": " + uv_strerror(result)};
}

template <class Handle>
uv_handle_t* as_handle(Handle& handle) {
    return reinterpret_cast<uv_handle_t*>(&handle);
}

} // namespace

struct UvLoop::Work {
    uv_work_t request{};
    UvLoop* loop = nullptr;
    std::function<void()> work;
    std::function<void()> done;
    std::exception_ptr failure;
};

struct UvLoop::Signal {
    uv_signal_t handle{};
    UvLoop* loop = nullptr;
    std::function<void()> handler;
};

UvLoop::UvLoop(Fail fail) : fail_(std::move(fail)) {
    std::signal(SIGPIPE, SIG_IGN);
    check(uv_loop_init(&loop_), "cannot make an event loop");
    timer_.data = prepare_.data = async_.data = this;
    uv_timer_init(&loop_, &timer_);
    uv_prepare_init(&loop_, &prepare_);
    check(uv_async_init(&loop_, &async_,
                        [](uv_async_t* async) {
                            auto* const self = static_cast<UvLoop*>(async->data);
                            self->guard([&] { self->run_posted_tasks(); });
                        }),
          "cannot make an event loop");
    uv_prepare_start(&prepare_, [](uv_prepare_t* prepare) {
        auto* const self = static_cast<UvLoop*>(prepare->data);
        self->guard([&] { self->run_hooks(); });
    });
}

UvLoop::~UvLoop() {
    closing_ = true;
    uv_close(as_handle(timer_), nullptr);
    uv_close(as_handle(prepare_), nullptr);
    uv_close(as_handle(async_), nullptr);
    for (const auto& signal : signals_) uv_close(as_handle(signal->handle), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT); // until every handle and request has had its last callback
    uv_loop_close(&loop_);
}

TimePoint UvLoop::now() const noexcept {
    return TimePoint{Millis{static_cast<Millis::rep>(uv_now(&loop_))}};
}

std::int64_t UvLoop::wall_ms() const noexcept {
    return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void UvLoop::in_background(std::function<void()> work, std::function<void()> done) {
    auto job = std::make_unique<Work>();
    job->loop = this;
    job->work = std::move(work);
    job->done = std::move(done);
    job->request.data = job.get();
    {
        const std::lock_guard lock{mutex_};
        ++working_;
    }
    const int result = uv_queue_work(
        &loop_, &job->request,
        [](uv_work_t* request) {
            auto* const its = static_cast<Work*>(request->data);
            try {
                its->work();
            } catch (...) {
                its->failure = std::current_exception();
            }
            its->work = nullptr; // what it holds is let go before anybody is told
            its->loop->work_finished();
        },
        [](uv_work_t* request, int) {
            const std::unique_ptr<Work> its{static_cast<Work*>(request->data)};
            if (its->loop->closing_) return;
            if (its->failure)
                its->loop->failed(its->failure);
            else
                its->loop->guard([&] { its->done(); });
        });
    if (result < 0) work_finished();
    check(result, "cannot start background work");
    static_cast<void>(job.release()); // the last callback's
}

void UvLoop::after(Millis delay, std::function<void()> task) {
    const TimePoint due = insync::saturating_add(now(), std::max(delay, Millis{0}));
    const auto place = tasks_.emplace(due, std::move(task));
    if (place == tasks_.begin()) start_timer();
}

void UvLoop::start_timer() {
    if (tasks_.empty() || closing_) return;
    // At least 1: libuv would run a timer that is due at once before it looks at any socket.
    const auto wait = std::max<Millis::rep>(1, (tasks_.begin()->first - now()).count());
    uv_timer_start(
        &timer_,
        [](uv_timer_t* timer) {
            auto* const self = static_cast<UvLoop*>(timer->data);
            self->guard([&] { self->run_due_tasks(); });
            self->start_timer();
        },
        static_cast<std::uint64_t>(wait), 0);
}

void UvLoop::run_due_tasks() {
    // Taken out first, as a task may add others.
    auto end = tasks_.upper_bound(now());
    std::vector<std::function<void()>> due;
    for (auto each = tasks_.begin(); each != end; ++each) due.push_back(std::move(each->second));
    tasks_.erase(tasks_.begin(), end);
    for (auto& task : due) task();
}

void UvLoop::post(std::function<void()> task) {
    {
        const std::lock_guard lock{mutex_};
        posted_.push_back(std::move(task));
    }
    uv_async_send(&async_);
}

void UvLoop::run_posted_tasks() {
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock{mutex_};
        tasks.swap(posted_);
    }
    for (auto& task : tasks) task();
}

void UvLoop::run() {
    failure_ = nullptr;
    uv_update_time(&loop_);
    uv_run(&loop_, UV_RUN_DEFAULT);
    wait_for_work();
    if (failure_ && !fail_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void UvLoop::stop() noexcept {
    uv_stop(&loop_);
}

void UvLoop::failed(std::exception_ptr exception) noexcept {
    if (failure_) return; // what follows from the first failure tells nothing new
    failure_ = exception;
    stop();
    if (fail_) fail_(exception);
}

void UvLoop::work_finished() noexcept {
    const std::lock_guard lock{mutex_};
    if (--working_ == 0) no_work_.notify_all();
}

void UvLoop::wait_for_work() {
    std::unique_lock lock{mutex_};
    no_work_.wait(lock, [this] { return working_ == 0; });
}

UvLoop::HookId UvLoop::at_end_of_turn(std::function<void()> hook) {
    hooks_.emplace(next_hook_, std::move(hook));
    return next_hook_++;
}

void UvLoop::remove_hook(HookId id) noexcept {
    hooks_.erase(id);
}

void UvLoop::run_hooks() {
    // A hook may remove hooks, itself included.
    HookId last = next_hook_;
    for (auto next = hooks_.upper_bound(last); next != hooks_.end();
         next = hooks_.upper_bound(last)) {
        last = next->first;
        const auto hook = next->second;
        hook();
    }
}

void UvLoop::on_signal(int signal, std::function<void()> handle) {
    auto made = std::make_unique<Signal>();
    made->loop = this;
    made->handler = std::move(handle);
    made->handle.data = made.get();
    check(uv_signal_init(&loop_, &made->handle), "cannot handle signals");
    signals_.push_back(std::move(made));
    check(uv_signal_start(
              &signals_.back()->handle,
              [](uv_signal_t* raised, int) {
                  auto* const its = static_cast<Signal*>(raised->data);
                  its->loop->guard([&] { its->handler(); });
              },
              signal),
          "cannot handle signals");
}

uv_buf_t UvLoop::read_buffer() noexcept {
    return uv_buf_init(read_buffer_.data(), static_cast<unsigned>(read_buffer_.size()));
}

} // namespace mini_broker
