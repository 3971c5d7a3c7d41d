#include "net/uv_loop.hpp"

#include "mini_broker/support/sockets.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::testing;

TEST_CASE("Tasks run in the order of when they are due, and none too early") {
    UvLoop loop;
    std::vector<int> order;
    const TimePoint begun = loop.now();
    TimePoint last{};
    loop.after(Millis{20}, [&] {
        order.push_back(3);
        last = loop.now();
    });
    loop.after(Millis{10}, [&] { order.push_back(2); });
    loop.after(Millis{0}, [&] { order.push_back(1); });
    REQUIRE(run_until(loop, [&] { return order.size() == 3; }));
    CHECK(order == std::vector{1, 2, 3});
    CHECK(last - begun >= Millis{20});
}

TEST_CASE("A task that begins itself anew at once does not keep the loop from its sockets") {
    UvLoop loop;
    int times = 0;
    std::function<void()> again = [&] {
        ++times;
        loop.after(Millis{0}, again);
    };
    again();
    bool posted = false;
    loop.post([&] { posted = true; });
    CHECK(run_until(loop, [&] { return posted && times > 3; }));
}

TEST_CASE("Background work runs on another thread, and its end is told on the loop's") {
    UvLoop loop;
    std::thread::id worked;
    std::thread::id told;
    loop.in_background([&] { worked = std::this_thread::get_id(); },
                       [&] { told = std::this_thread::get_id(); });
    REQUIRE(run_until(loop, [&] { return told != std::thread::id{}; }));
    CHECK(told == std::this_thread::get_id());
    CHECK(worked != told);
}

TEST_CASE(
    "What background work throws goes to fail, stops the loop, and nobody is told of an end") {
    std::string failure;
    UvLoop loop{[&](std::exception_ptr exception) {
        try {
            std::rethrow_exception(exception);
        } catch (const std::exception& error) {
            failure = error.what();
        }
    }};
    bool told = false;
    loop.in_background([] { throw std::runtime_error{"the disk is gone"}; }, [&] { told = true; });
    loop.run();
    CHECK(failure == "the disk is gone");
    CHECK_FALSE(told);
}

TEST_CASE("Without fail, run throws what a task has thrown") {
    UvLoop loop;
    loop.after(Millis{1}, [] { throw std::runtime_error{"no"}; });
    CHECK_THROWS_AS(loop.run(), std::runtime_error);
}

TEST_CASE("When run returns, no background work is running") {
    UvLoop loop;
    std::atomic<bool> begun = false;
    std::atomic<bool> ended = false;
    loop.in_background(
        [&] {
            begun = true;
            begun.notify_one();
            for (int i = 0; i < 1000; ++i) std::this_thread::yield();
            ended = true;
        },
        [] {});
    begun.wait(false);
    loop.post([&] { loop.stop(); });
    loop.run();
    CHECK(ended);
}

TEST_CASE("A loop that is destroyed waits for its background work, and tells nobody") {
    std::atomic<bool> ended = false;
    bool told = false;
    {
        UvLoop loop;
        loop.in_background([&] { ended = true; }, [&] { told = true; });
    }
    CHECK(ended);
    CHECK_FALSE(told);
}

TEST_CASE("Hooks run after what happened in the turn, the newest first") {
    UvLoop loop;
    std::vector<std::string> order;
    const auto first = loop.at_end_of_turn([&] { order.push_back("older"); });
    loop.at_end_of_turn([&] {
        order.push_back("newer");
        if (order.front() == "task") loop.stop();
    });
    loop.post([&] {
        order = {"task"};
        loop.after(Millis{0}, [] {});
    });
    loop.run();
    CHECK(order == std::vector<std::string>{"task", "newer", "older"});
    loop.remove_hook(first);
    order = {"task"};
    loop.run();
    CHECK(order == std::vector<std::string>{"task", "newer"});
}

TEST_CASE("Tasks posted on other threads all run on the loop's") {
    UvLoop loop;
    int ran = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 100; ++j) loop.post([&] { ++ran; });
        });
    CHECK(run_until(loop, [&] { return ran == 400; }));
    for (auto& thread : threads) thread.join();
}

TEST_CASE("A signal is told on the loop") {
    UvLoop loop;
    bool told = false;
    loop.on_signal(SIGUSR1, [&] { told = true; });
    std::raise(SIGUSR1);
    CHECK(run_until(loop, [&] { return told; }));
}
