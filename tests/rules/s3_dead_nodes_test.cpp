// S3 and the dead: who the cluster knows to be dead is given nothing on credit.

#include "support/one_partition.hpp"

#include <insync/consensus_view.hpp>
#include <insync/isr_store.hpp>
#include <insync/node_list.hpp>
#include <insync/partition_options.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::kNever;
using insync::NodeList;
using insync::PublishedIsr;
using insync::Result;
using insync::WaitResult;
using support::Ended;
using support::Nodes;
using support::OnePartition;

namespace {

/// Leads in epoch 4 with a log that ends at 100. Node 2 has all of it, 3 was never heard of.
void lead_without_3(OnePartition<>& p) {
    p.lead(4, 100);
    p.hear(2, 100);
    p.group().quorum(insync::Quorum::held);
    p.group().follower(3, 0, kNever, false);
}

} // namespace

TEST_CASE("a new partition starts without the nodes that are not alive", "[s3]") {
    OnePartition p;
    lead_without_3(p);
    REQUIRE(p.isr.initialize_isr(p.kTopic, 0, {1, 2, 3}, {.alive = NodeList{1, 2}}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
    const Ended& ended = p.await(4, 100);
    CHECK(ended == Ended{WaitResult::committed}); // at once, not after max_lag_ms
}

TEST_CASE("a new partition starts without the nodes that were marked dead", "[s3]") {
    OnePartition p;
    lead_without_3(p);
    REQUIRE(p.isr.mark_dead(3) == Result::ok);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("a node that was marked alive again starts in sync", "[s3]") {
    OnePartition p;
    lead_without_3(p);
    REQUIRE(p.isr.mark_dead(3) == Result::ok);
    REQUIRE(p.isr.mark_alive(3) == Result::ok);
    REQUIRE(p.initialize() == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("this node is in the first set whatever is said of it", "[s3]") {
    OnePartition p;
    REQUIRE(p.isr.mark_dead(1) == Result::ok);
    REQUIRE(p.isr.initialize_isr(p.kTopic, 0, {1, 2, 3}, {.alive = NodeList{2}}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("a set of nobody is refused, and where all are marked dead nobody is better", "[s3]") {
    OnePartition p;
    CHECK(p.isr.initialize_isr(p.kTopic, 0, {2, 3}, {.alive = NodeList{4}}) == Result::invalid_isr);
    REQUIRE(p.isr.mark_dead(2) == Result::ok);
    REQUIRE(p.isr.mark_dead(3) == Result::ok);
    REQUIRE(p.initialize({2, 3}) == Result::ok);
    CHECK(p.members() == Nodes{2, 3});
}

TEST_CASE("a dead member of the inherited ISR has no grace", "[s3]") {
    OnePartition p;
    p.group().follow(3, 4);
    REQUIRE(p.inherit({3, 4, 7, {1, 2, 3}}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3}); // as it was published, by a node that has died since
    REQUIRE(p.isr.mark_dead(3) == Result::ok);
    p.clock.advance(1s);
    p.lead(5, 100);
    p.hear(2, 100);
    p.group().follower(3, 100, kNever, false);
    (void)p.observe();
    CHECK(p.members() == Nodes{1, 2});
    CHECK(p.await(5, 100) == Ended{WaitResult::committed});
}

TEST_CASE("an older set that names a dead node gives it no grace after a restart", "[s3]") {
    OnePartition p;
    p.lead(5, 100); // it leads before the partition is registered
    p.hear(2, 100);
    p.group().follower(3, 100, kNever, false);
    const PublishedIsr older{3, 4, 7, {1, 2, 3}};
    REQUIRE(p.isr.initialize_isr(p.kTopic, 0, {1, 2, 3},
                                 {.alive = NodeList{1, 2}, .inherited = &older}) == Result::ok);
    CHECK(p.members() == Nodes{1, 2});
}

TEST_CASE("the same set shown again is no conflict after the dead were left out of it", "[s3]") {
    OnePartition p;
    p.group().follow(3, 4);
    const PublishedIsr older{3, 4, 7, {1, 2, 3}};
    REQUIRE(p.isr.initialize_isr(p.kTopic, 0, {1, 2, 3},
                                 {.alive = NodeList{1, 2}, .inherited = &older}) == Result::ok);
    CHECK(p.isr.apply_published_isr(p.kTopic, 0, older) == Result::ok);
    CHECK(p.members() == Nodes{1, 2, 3}); // a follower answers what was published
}

TEST_CASE("who was marked dead by mistake joins once it has confirmed what it holds", "[s3]") {
    OnePartition p;
    lead_without_3(p);
    REQUIRE(p.isr.mark_dead(3) == Result::ok);
    REQUIRE(p.initialize() == Result::ok);
    p.hear({2, 3}, 100);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2, 3});
}

TEST_CASE("marking a node dead takes nobody out who is in sync", "[s3]") {
    OnePartition p;
    p.start_healthy();
    REQUIRE(p.isr.mark_dead(3) == Result::ok);
    p.sweep();
    CHECK(p.members() == Nodes{1, 2, 3});
}
