#pragma once

#include "support/machine.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace bench {

/// Does a piece of work on another processor at a fixed rate, as a broker's sweep does, until it is
/// destroyed.
class Background {
public:
    Background(std::chrono::milliseconds period, std::function<void()> work)
        : thread_([this, period, work = std::move(work)] { run(period, work); }) {}
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    ~Background() {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        stop_.notify_one();
        thread_.join();
    }

private:
    void run(std::chrono::milliseconds period, const std::function<void()>& work) {
        pin_to_processor(1);
        auto next = std::chrono::steady_clock::now();
        std::unique_lock lock{mutex_};
        while (!stopping_) {
            lock.unlock();
            work();
            next += period;
            lock.lock();
            stop_.wait_until(lock, next, [this] { return stopping_; });
        }
    }

    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace bench
