#include <insync/config.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/isr_manager.hpp>
#include <insync/isr_update_loop.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using insync::IsrConfig;
using insync::IsrUpdateLoop;
using insync::Millis;
using insync::NodeId;
using insync::Result;
using insync::TimePoint;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace {

/// Whether `condition` comes true before a test would be called hung.
template <class Condition>
bool comes_true(const Condition& condition) {
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::yield();
    }
    return true;
}

/// A manager that only counts.
struct Ticked {
    ManualClock time;
    IsrConfig settings{.check_interval_ms = 1ms};
    std::atomic<int> ticks{0};
    std::atomic<Millis::rep> due{0}; ///< from the clock's origin
    std::function<void()> on_tick;

    void tick() {
        ++ticks;
        if (on_tick) on_tick();
    }
    TimePoint next_deadline() const { return TimePoint{Millis{due.load()}}; }
    const ManualClock& clock() const { return time; }
    const IsrConfig& config() const { return settings; }
};

constexpr Millis kForEver{24h};

} // namespace

TEST_CASE("a loop ticks until it is stopped, and again when it is started again",
          "[isr_update_loop]") {
    Ticked manager;
    IsrUpdateLoop loop{manager};
    CHECK_FALSE(loop.running());
    CHECK(manager.ticks == 0);

    loop.start();
    CHECK(loop.running());
    CHECK(comes_true([&] { return manager.ticks >= 3; }));
    loop.stop();
    CHECK_FALSE(loop.running());
    const int stopped_at = manager.ticks;

    loop.start();
    CHECK(comes_true([&] { return manager.ticks > stopped_at; }));
    loop.stop();
}

TEST_CASE("starting or stopping twice is as good as once", "[isr_update_loop]") {
    Ticked manager;
    IsrUpdateLoop loop{manager};
    loop.stop();
    loop.start();
    loop.start();
    CHECK(comes_true([&] { return manager.ticks >= 1; }));
    loop.stop();
    loop.stop();
    CHECK_FALSE(loop.running());
}

TEST_CASE("no tick comes after stop has returned", "[isr_update_loop]") {
    Ticked manager;
    IsrUpdateLoop loop{manager};
    for (int round = 0; round < 50; ++round) {
        const int before = manager.ticks;
        loop.start();
        CHECK(comes_true([&] { return manager.ticks > before; }));
        loop.stop();
        const int after = manager.ticks;
        std::this_thread::yield();
        CHECK(manager.ticks == after);
    }
}

TEST_CASE("a loop sleeps until the deadline, and a poke wakes it", "[isr_update_loop]") {
    Ticked manager;
    manager.due = kForEver.count();
    IsrUpdateLoop loop{manager, kForEver};
    loop.start();
    REQUIRE(comes_true([&] { return manager.ticks == 1; }));
    for (int poke = 2; poke <= 5; ++poke) {
        loop.poke();
        REQUIRE(comes_true([&] { return manager.ticks == poke; }));
    }
    // Nothing but pokes woke it, and stopping does not wait for the deadline either.
    CHECK(manager.ticks == 5);
    loop.stop();
}

TEST_CASE("a poke during a tick is not lost", "[isr_update_loop]") {
    Ticked manager;
    manager.due = kForEver.count();
    IsrUpdateLoop loop{manager, kForEver};
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    manager.on_tick = [&] {
        inside = true;
        while (!leave) std::this_thread::yield();
    };
    loop.start();
    REQUIRE(comes_true([&] { return inside.load(); }));
    loop.poke();
    leave = true;
    CHECK(comes_true([&] { return manager.ticks >= 2; }));
    loop.stop();
}

TEST_CASE("a loop that is stopped in a callback ends without waiting for itself",
          "[isr_update_loop]") {
    Ticked manager;
    IsrUpdateLoop loop{manager};
    std::atomic<int> stop_at{3};
    manager.on_tick = [&] {
        if (manager.ticks == stop_at) {
            loop.stop();
            loop.start(); // not on its own thread
        }
    };
    loop.start();
    CHECK(comes_true([&] { return !loop.running(); }));
    loop.stop(); // waits for what the callback could not wait for
    CHECK(manager.ticks == 3);
    CHECK(loop.exceptions() == 0); // a thread that waits for itself throws

    stop_at = 5;
    loop.start();
    CHECK(comes_true([&] { return !loop.running(); }));
    loop.start(); // at once, while the thread may still be on its way out
    CHECK(comes_true([&] { return manager.ticks > 5; }));
    loop.stop();
    CHECK(loop.exceptions() == 0);
}

TEST_CASE("a thread that is given the id of the loop's last one can start the loop",
          "[isr_update_loop]") {
    Ticked manager;
    IsrUpdateLoop loop{manager};
    loop.start();
    loop.stop();
    std::thread{[&] { loop.start(); }}.join(); // ids are reused as soon as they are free
    CHECK(loop.running());
    loop.stop();
}

TEST_CASE("a loop does not sleep past a deadline, however long it may pause", "[isr_update_loop]") {
    Ticked manager;
    manager.due = 1;
    IsrUpdateLoop loop{manager, kForEver};
    loop.start();
    CHECK(comes_true([&] { return manager.ticks >= 3; }));
    loop.stop();
}

TEST_CASE("a loop can be stopped outside while a callback stops it too", "[isr_update_loop]") {
    Ticked manager;
    for (int round = 0; round < 50; ++round) {
        IsrUpdateLoop loop{manager};
        manager.on_tick = [&] { loop.stop(); };
        loop.start();
        loop.stop();
        CHECK_FALSE(loop.running());
    }
}

TEST_CASE("an exception out of a tick is counted and does not end the loop", "[isr_update_loop]") {
    Ticked manager;
    manager.on_tick = [&] {
        if (manager.ticks <= 3) throw std::runtime_error{"no memory"};
    };
    IsrUpdateLoop loop{manager};
    loop.start();
    CHECK(comes_true([&] { return manager.ticks >= 6; }));
    loop.stop();
    CHECK(loop.exceptions() == 3);
}

TEST_CASE("a loop that goes out of scope stops its thread", "[isr_update_loop]") {
    Ticked manager;
    {
        IsrUpdateLoop loop{manager};
        loop.start();
        CHECK(comes_true([&] { return manager.ticks >= 1; }));
    }
    const int after = manager.ticks;
    std::this_thread::yield();
    CHECK(manager.ticks == after);
}

TEST_CASE("a running loop shrinks and expands the ISR", "[isr_update_loop]") {
    ManualClock clock;
    ScriptedView view;
    view.lead("t", 0, 1, 1, 100).follower(2, 100, clock.now()).follower(3, 100, clock.now());
    insync::IsrManager manager{1, view, IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    IsrUpdateLoop loop{manager};
    loop.start();

    const auto pass_a_second = [&] {
        clock.advance(1s);
        view.group("t", 0).contact(2, clock.now());
        const auto before = manager.counters().sweeps;
        loop.poke();
        return comes_true([&] { return manager.counters().sweeps > before; });
    };
    for (int second = 0; second < 12; ++second) REQUIRE(pass_a_second());
    CHECK(comes_true([&] { return manager.get_isr("t", 0)->size() == 2; }));
    CHECK_FALSE(manager.is_in_sync("t", 0, 3));
    view.follower("t", 0, 3, 100, clock.now());
    REQUIRE(pass_a_second());
    CHECK(comes_true([&] { return manager.get_isr("t", 0)->size() == 3; }));
    loop.stop();
}

TEST_CASE("a running loop ends waits that are overdue", "[isr_update_loop]") {
    ManualClock clock;
    ScriptedView view;
    view.lead("t", 0, 1, 1, 100).follower(2, 100, clock.now());
    insync::IsrManager manager{1, view, IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, {1, 2}) == Result::ok);
    IsrUpdateLoop loop{manager};
    loop.start();
    std::atomic<bool> timed_out{false};
    REQUIRE(manager.await_replication("t", 0, 1, 101, clock.now() + 500ms, [&](auto result) {
        timed_out = result == insync::WaitResult::timed_out;
    }) == Result::ok);
    clock.advance(500ms);
    CHECK(comes_true([&] { return timed_out.load(); })); // without a poke
    loop.stop();
}

TEST_CASE("changes by hand are not lost to sweeps that run at the same time", "[isr_update_loop]") {
    ManualClock clock;
    ScriptedView view;
    view.lead("t", 0, 1, 1, 100).follower(2, 100, clock.now()).follower(3, 100, clock.now());
    insync::IsrManager manager{1, view, IsrConfig{.check_interval_ms = 1ms}, clock};
    REQUIRE(manager.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    IsrUpdateLoop loop{manager};
    loop.start();
    std::atomic<bool> done{false};
    std::thread observer{[&] {
        while (!done) (void)manager.update_isr("t", 0);
    }};
    int lost = 0;
    for (int round = 0; round < 300; ++round) { // far less than the time that a removal lasts
        clock.advance(1ms);
        loop.poke();
        CHECK(manager.remove_from_isr("t", 0, 3) == Result::ok);
        lost += manager.is_in_sync("t", 0, 3) ? 1 : 0;
        CHECK(manager.add_to_isr("t", 0, 3) == Result::ok);
        lost += manager.is_in_sync("t", 0, 3) ? 0 : 1;
    }
    done = true;
    observer.join();
    loop.stop();
    CHECK(lost == 0);
}

TEST_CASE("a listener may stop the loop that calls it", "[isr_update_loop]") {
    ManualClock clock;
    ScriptedView view;
    view.lead("t", 0, 1, 1, 100).follower(2, 100, clock.now()).follower(3, 100, clock.now());
    insync::IsrManager manager{1, view, IsrConfig{}, clock};
    REQUIRE(manager.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    IsrUpdateLoop loop{manager, 1ms};
    manager.subscribe([&](const insync::IsrChange&) { loop.stop(); });
    loop.start();
    for (int second = 0; second < 20 && loop.running(); ++second) {
        const auto before = manager.counters().sweeps;
        clock.advance(1s);
        REQUIRE(comes_true([&] { return manager.counters().sweeps > before || !loop.running(); }));
    }
    CHECK_FALSE(loop.running());
    loop.stop();
    CHECK(manager.get_isr("t", 0)->size() < 3);
}
