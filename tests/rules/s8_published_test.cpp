// S8: the ISR in the host's metadata, there and back.

#include "support/one_partition.hpp"

#include <insync/events.hpp>
#include <insync/isr_store.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using insync::ChangeCause;
using insync::kNever;
using insync::PublishedIsr;
using insync::Quorum;
using insync::Result;
using insync::TopicPartition;
using support::Nodes;
using support::OnePartition;

namespace {

/// Metadata that keeps what it was given and shows it when the test says so.
struct Store {
    std::vector<PublishedIsr> given;
    std::string topic;

    void publish(TopicPartition partition, const PublishedIsr& isr) {
        topic = partition.topic;
        given.push_back(isr);
    }
};

template <class View>
Result show(OnePartition<View>& p, const PublishedIsr& isr) {
    return p.isr.apply_published_isr("my-topic", 0, isr);
}

} // namespace

TEST_CASE("each decision is handed to the store when it is made", "[s8]") {
    Store store;
    OnePartition p;
    p.isr.publish_to(store);
    p.start_healthy(100);
    REQUIRE(store.given.size() == 1);
    CHECK(store.topic == "my-topic");
    CHECK(store.given[0] == PublishedIsr{1, 4, 1, {1, 2, 3}});
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    REQUIRE(store.given.size() == 2);
    CHECK(store.given[1] == PublishedIsr{1, 4, 2, {1, 2}});
}

TEMPLATE_TEST_CASE("S8* a decision is sent again at every sweep until the metadata shows it",
                   "[s8][star]",
                   insync::testing::ScriptedView,
                   insync::testing::VersionedScriptedView,
                   insync::testing::PushingScriptedView) {
    Store store;
    OnePartition<TestType> p;
    p.isr.publish_to(store);
    p.lead(4, 100);
    p.group().quorum(Quorum::held);
    p.hear({2, 3}, 100);
    REQUIRE(p.initialize() == Result::ok);
    for (int sweep = 1; sweep <= 5; ++sweep) { // the first one or two are lost on the way
        const auto before = store.given.size();
        p.sweep();
        CHECK(store.given.size() == before + 1);
        CHECK(store.given.back() == PublishedIsr{p.set()});
    }
    REQUIRE(show(p, store.given.back()) == Result::ok);
    const auto shown = store.given.size();
    for (int sweep = 1; sweep <= 3; ++sweep) p.sweep();
    CHECK(store.given.size() == shown);

    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok); // a newer one is due again
    p.sweep();
    p.sweep();
    CHECK(store.given.size() == shown + 3);
    CHECK(store.given.back().members.size() == 2);
}

TEMPLATE_TEST_CASE("S8* what was numbered anew after a conflict is sent until it is shown as well",
                   "[s8][star]",
                   insync::testing::ScriptedView,
                   insync::testing::VersionedScriptedView,
                   insync::testing::PushingScriptedView) {
    Store store;
    OnePartition<TestType> p;
    p.isr.publish_to(store);
    p.lead(4, 100);
    p.group().quorum(Quorum::held);
    p.hear({2, 3}, 100);
    REQUIRE(p.initialize() == Result::ok);
    REQUIRE(show(p, PublishedIsr{p.set()}) == Result::ok);
    p.sweep();
    p.sweep();
    // A set of this node's own epoch that it never decided, with a higher version.
    REQUIRE(show(p, {1, 4, 9, {1, 2}}) == Result::epoch_conflict);
    for (int sweep = 1; sweep <= 3; ++sweep) {
        const auto before = store.given.size();
        p.sweep();
        CHECK(store.given.size() == before + 1);
        CHECK(store.given.back() == PublishedIsr{1, 4, 10, {1, 2, 3}});
    }
}

TEST_CASE("an older decision that is shown does not end the sending of the newer one", "[s8]") {
    Store store;
    OnePartition p;
    p.isr.publish_to(store);
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    CHECK(show(p, store.given[0]) == Result::stale);
    const auto before = store.given.size();
    p.sweep();
    CHECK(store.given.size() == before + 1);
}

TEST_CASE("a store that is attached late is given what was decided before", "[s8]") {
    OnePartition p;
    p.start_healthy(100);
    p.isr.tick();
    Store store;
    p.isr.publish_to(store);
    p.sweep();
    REQUIRE_FALSE(store.given.empty());
    CHECK(store.given.back() == PublishedIsr{p.set()});
}

TEST_CASE("a store that throws is asked again", "[s8]") {
    struct Throwing {
        int asked = 0;
        void publish(TopicPartition, const PublishedIsr&) {
            ++asked;
            throw std::runtime_error{"full"};
        }
    } store;
    OnePartition p;
    p.isr.publish_to(store);
    p.start_healthy(100);
    p.sweep();
    p.sweep();
    CHECK(store.asked == 3);
    CHECK(p.isr.counters().callbacks_thrown == 3);
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("a store may show a decision from inside publish", "[s8]") {
    OnePartition p;
    struct Immediate {
        OnePartition<>* node;
        int asked = 0;
        void publish(TopicPartition, const PublishedIsr& isr) {
            ++asked;
            CHECK(node->isr.apply_published_isr("my-topic", 0, isr) == Result::ok);
        }
    } store{&p};
    p.isr.publish_to(store);
    p.start_healthy(100);
    for (int i = 0; i < 5; ++i) p.sweep();
    CHECK(store.asked == 1); // no lock held, and nothing left to send
}

TEST_CASE("S8* a new leader inherits the newest set that was published", "[s8][star]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    REQUIRE(show(p, {2, 4, 8, {1, 2}}) == Result::ok);
    p.lead(5, 100);
    p.group().follower(2, 0, kNever, false).follower(3, 0, kNever, false);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2}); // and not 3, which the older one has
    CHECK(p.set().version() == 9);
    CHECK(p.set().epoch() == 5);
}

TEST_CASE("S8* a new leader inherits its own unpublished decision where that is newer",
          "[s8][star]") {
    OnePartition p; // it led, took 3 out, and lost its leadership before the metadata showed it
    p.start_healthy(100);
    REQUIRE(p.isr.remove_from_isr("my-topic", 0, 3) == Result::ok);
    p.group().follow(2, 5);
    REQUIRE(p.observe() == Result::ok);
    CHECK(show(p, {1, 4, 1, {1, 2, 3}}) == Result::stale);
    p.lead(6, 100);
    p.group().follower(2, 0, kNever, false).follower(3, 0, kNever, false);
    REQUIRE(p.observe() == Result::ok);
    CHECK(p.members() == Nodes{1, 2}); // 3 may lack what was acknowledged without it
    CHECK(p.set().version() == 3);
}

TEST_CASE("S8* a survivor that heard of no leader inherits itself alone", "[s8][star]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    p.isr.tick();
    p.group().lose_leader();
    p.sweep_until(15s);
    REQUIRE(p.set().stale());
    p.lead(5, 100); // elected at last: whoever voted has yet to confirm what it holds
    p.group().follower(2, 100, p.clock.now(), false).follower(3, 0, kNever, false);
    p.sweep();
    CHECK(p.members() == Nodes{1});
    CHECK_FALSE(p.set().stale());
    p.hear(2, 100);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("a follower that was without a leader for less inherits the published set", "[s8]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 3}}) == Result::ok);
    p.isr.tick();
    p.group().lose_leader();
    p.sweep_until(5s);
    p.lead(5, 100); // an ordinary election
    p.group().follower(2, 0, kNever, false).follower(3, 0, kNever, false);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("stale entries change nothing", "[s8]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    CHECK(show(p, {2, 4, 6, {2}}) == Result::stale);
    CHECK(show(p, {3, 3, 99, {3}}) == Result::stale);
    CHECK(show(p, {2, 0, 0, {2}}) == Result::stale);
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.set().version() == 7);
    CHECK(p.changes.empty());
}

TEST_CASE("the same epoch and version with another content is a counted fault", "[s8]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2}}) == Result::ok);
    CHECK(show(p, {2, 4, 7, {1, 2}}) == Result::ok); // the same again is nothing
    CHECK(show(p, {2, 4, 7, {2, 3}}) == Result::epoch_conflict);
    CHECK(show(p, {1, 4, 7, {1, 2}}) == Result::epoch_conflict);
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.isr.counters().rejected(Result::epoch_conflict) == 2);
}

TEST_CASE("a leader shown a set of its epoch that it never decided numbers its own above it",
          "[s8]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(show(p, {1, 4, 9, {1}}) == Result::epoch_conflict);
    CHECK(p.members() == Nodes{1, 2, 3});
    CHECK(p.set().version() == 10);
    CHECK(p.has_min());
    CHECK(p.changes.back().cause == ChangeCause::renumbered);
}

TEST_CASE("a leader shown a newer epoch leads no longer", "[s8]") {
    OnePartition p;
    p.start_healthy(100);
    CHECK(show(p, {2, 5, 9, {2, 3}}) == Result::ok);
    CHECK_FALSE(p.has_min());
    CHECK(p.members() == Nodes{2, 3});
    CHECK(p.set().leader() == 2);
    CHECK(p.observe() == Result::stale); // the view still says 4
    CHECK_FALSE(p.has_min());
}

TEST_CASE("a leader of an older epoch than the metadata's does not lead", "[s8]") {
    OnePartition p;
    p.lead(4, 100); // its view has not heard of epoch 9 yet
    p.hear({2, 3}, 100);
    REQUIRE(p.inherit({2, 9, 7, {1, 2}}) == Result::ok);
    CHECK(p.observe() == Result::stale);
    CHECK_FALSE(p.has_min());
    CHECK(p.set().leader() == 2);
    CHECK(p.set().epoch() == 9);
}

TEST_CASE("members that are not assigned are left out of what is shown", "[s8]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({2, 4, 7, {1, 2, 9}}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
    CHECK(show(p, {2, 4, 8, {2, 3, 9}}) == Result::ok);
    CHECK(p.members() == Nodes{2, 3});
}

TEST_CASE("a published set may have no leader", "[s8]") {
    OnePartition p;
    p.group().follow(2, 4);
    REQUIRE(p.inherit({insync::kNoNode, 4, 7, {2}}) == Result::ok);
    CHECK(p.set().leader() == insync::kNoNode);
    CHECK(show(p, {insync::kNoNode, 4, 8, {3}}) == Result::ok);
    CHECK(p.members() == Nodes{3});
}
