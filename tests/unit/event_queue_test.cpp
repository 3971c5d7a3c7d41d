#include <insync/counters.hpp>
#include <insync/detail/event_queue.hpp>
#include <insync/events.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using insync::ChangeCause;
using insync::IsrChange;
using insync::Subscription;
using insync::detail::AtomicCounters;
using insync::detail::EventQueue;

namespace {

using Names = std::vector<std::string>;

struct Queue {
    AtomicCounters counters;
    EventQueue events{counters};
    Names heard;

    /// Queues a change of topic `name`, in which replica 3 left.
    void push(const std::string& name, ChangeCause cause = ChangeCause::lag) {
        EventQueue::Prepared prepared;
        IsrChange& change = prepared.emplace_back().change;
        change.topic = name;
        change.cause = cause;
        change.moved.push_back({.node = 3, .lag_entries = {}});
        events.push(prepared);
    }
    Subscription listen(const std::string& who) {
        return events.subscribe(
            [this, who](const IsrChange& change) { heard.push_back(who + " " + change.topic); });
    }
};

} // namespace

TEST_CASE("changes are delivered in the order of queueing, to listeners in the order of theirs",
          "[event_queue]") {
    Queue q;
    q.listen("a");
    q.listen("b");
    q.push("1");
    q.push("2");
    CHECK(q.heard.empty()); // not while the partition's lock is held
    CHECK(q.events.pending());
    q.events.drain();
    CHECK(q.heard == Names{"a 1", "b 1", "a 2", "b 2"});
    CHECK_FALSE(q.events.pending());
    q.events.drain();
    CHECK(q.heard.size() == 4);
}

TEST_CASE("a listener hears nothing of what was queued before it came", "[event_queue]") {
    Queue q;
    q.listen("early");
    q.push("1");
    q.listen("late");
    q.push("2");
    q.events.drain();
    CHECK(q.heard == Names{"early 1", "early 2", "late 2"});
}

TEST_CASE("nobody is wanted until somebody listens, and after the last has gone", "[event_queue]") {
    Queue q;
    CHECK_FALSE(q.events.wanted());
    const Subscription subscription = q.listen("a");
    CHECK(q.events.wanted());
    q.events.unsubscribe(subscription);
    CHECK_FALSE(q.events.wanted());
    q.events.set_log_sink([](std::string_view) {});
    CHECK(q.events.wanted());
    q.events.set_log_sink({});
    CHECK_FALSE(q.events.wanted());
}

TEST_CASE("a listener that unsubscribes itself is not called again", "[event_queue]") {
    Queue q;
    int calls = 0;
    Subscription mine{};
    mine = q.events.subscribe([&](const IsrChange&) {
        ++calls;
        q.events.unsubscribe(mine); // must not wait for itself
    });
    q.listen("other");
    q.push("1");
    q.push("2");
    q.events.drain();
    CHECK(calls == 1);
    CHECK(q.heard == Names{"other 1", "other 2"});
}

TEST_CASE("a listener may take out another one that is still to be called", "[event_queue]") {
    Queue q;
    Subscription second{};
    q.events.subscribe([&](const IsrChange&) { q.events.unsubscribe(second); });
    second = q.listen("second");
    q.push("1");
    q.events.drain();
    CHECK(q.heard.empty());
}

TEST_CASE("what a listener queues is delivered after what it hears, not inside it",
          "[event_queue]") {
    Queue q;
    q.events.subscribe([&](const IsrChange& change) {
        if (change.topic == "1") {
            q.push("2");
            q.events.drain(); // another one is at it: this one
        }
    });
    q.listen("last");
    q.push("1");
    q.events.drain();
    CHECK(q.heard == Names{"last 1", "last 2"});
}

TEST_CASE("a listener that throws is counted, and the others hear all the same", "[event_queue]") {
    Queue q;
    q.events.subscribe([](const IsrChange&) { throw std::runtime_error{"no"}; });
    q.listen("other");
    q.push("1");
    q.push("2");
    q.events.drain();
    CHECK(q.heard == Names{"other 1", "other 2"});
    CHECK(q.counters.read().callbacks_thrown == 2);
}

TEST_CASE("the sink gets a line for what was decided here", "[event_queue]") {
    Queue q;
    Names lines;
    q.events.set_log_sink([&](std::string_view line) { lines.emplace_back(line); });
    q.push("here");
    q.push("elsewhere", ChangeCause::published);
    q.events.drain();
    CHECK(lines == Names{"ISR SHRINK: here-0 removed replica 3 (lag: unknown entries, 0 ms)"});
}

TEST_CASE("a new sink replaces the one before", "[event_queue]") {
    Queue q;
    Names first;
    Names second;
    q.events.set_log_sink([&](std::string_view line) { first.emplace_back(line); });
    q.push("1");
    q.events.drain();
    q.events.set_log_sink([&](std::string_view line) { second.emplace_back(line); });
    q.push("2");
    q.events.drain();
    CHECK(first.size() == 1);
    CHECK(second.size() == 1);
}
