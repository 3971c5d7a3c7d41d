#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/explain.hpp>
#include <insync/format.hpp>
#include <insync/isr_set.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <chrono>
#include <vector>

using namespace std::chrono_literals;
using insync::Explanation;
using insync::IsrSet;
using insync::NodeId;
using insync::ReplicaState;
using insync::Verdict;

namespace {

using Nodes = std::vector<NodeId>;

IsrSet set_of(const Nodes& members, insync::Epoch epoch = 0, insync::Version version = 0) {
    return IsrSet{members.empty() ? insync::kNoNode : members.front(), members, Nodes{}, epoch,
                  version};
}

} // namespace

TEST_CASE("a set prints its members", "[format]") {
    CHECK(fmt::format("{}", set_of({1, 2, 3})) == "[1, 2, 3]");
    CHECK(fmt::format("{}", set_of({7})) == "[7]");
    CHECK(fmt::format("{}", set_of({})) == "[]");
    CHECK(fmt::format("ISR: {}!", set_of({3, 1})) == "ISR: [1, 3]!");
}

TEST_CASE("results print their names, and take the format of text", "[format]") {
    CHECK(fmt::format("{}", insync::Result::epoch_conflict) == "epoch_conflict");
    CHECK(fmt::format("{:>8}|", insync::Result::ok) == "      ok|");
    CHECK(fmt::format("{}", insync::WaitResult::timed_out) == "timed_out");
}

TEST_CASE("a change prints where, from what to what, in which order and why", "[format]") {
    insync::IsrChange change;
    change.topic = "my-topic";
    change.partition = 5;
    change.before = set_of({1, 2, 3}, 4, 6);
    change.after = set_of({1, 2}, 4, 7);
    change.cause = insync::ChangeCause::lag;
    CHECK(fmt::format("{}", change) == "my-topic-5 [1, 2, 3] -> [1, 2] (epoch 4, version 7, lag)");
}

TEST_CASE("an explanation is one sentence for every state", "[format]") {
    const auto why = [](auto change) {
        Explanation one;
        one.node = 3;
        one.leader = 1;
        one.epoch = 4;
        one.limits = {.entries = 10'000, .time = 10s};
        change(one);
        return fmt::format("{}", one);
    };
    CHECK(why([](Explanation& e) {
              e.member = true;
              e.state = ReplicaState::leader;
          }) == "replica 3 is in the ISR: it leads (epoch 4)");
    CHECK(why([](Explanation& e) {
              e.member = true;
              e.state = ReplicaState::in_sync;
              e.lag = {.entries = 12, .time = 300ms};
          }) ==
          "replica 3 is in the ISR: 12 entries and 300 ms behind, within 10000 and 10000 ms "
          "(epoch 4)");
    CHECK(why([](Explanation& e) {
              e.member = true;
              e.state = ReplicaState::grace;
              e.lag.time = 700ms;
          }) ==
          "replica 3 is in the ISR: in grace, not confirmed since the leader changed 700 ms ago "
          "(epoch 4)");
    CHECK(why([](Explanation& e) {
              e.state = ReplicaState::catching_up;
              e.verdict = Verdict::lag_entries;
              e.lag = {.entries = 12'000, .time = 1s};
          }) == "replica 3 is out of the ISR: 12000 entries behind, limit 10000 (epoch 4)");
    CHECK(why([](Explanation& e) {
              e.state = ReplicaState::catching_up;
              e.verdict = Verdict::lag_ms;
              e.lag = {.entries = 1, .time = 10'500ms};
          }) ==
          "replica 3 is out of the ISR: not caught up for 10500 ms, limit 10000 ms (epoch 4)");
    CHECK(why([](Explanation& e) {
              e.state = ReplicaState::unconfirmed;
              e.verdict = Verdict::not_confirmed;
          }) ==
          "replica 3 is out of the ISR: what it holds is not confirmed in this epoch "
          "(epoch 4)");
    CHECK(why([](Explanation& e) {
              e.state = ReplicaState::unconfirmed;
              e.verdict = Verdict::not_confirmed;
              e.lag.entries_at_least = 12'000;
          }) ==
          "replica 3 is out of the ISR: what it holds is not confirmed in this epoch, at least "
          "12000 entries behind (epoch 4)");
    CHECK(why([](Explanation& e) { e.state = ReplicaState::held_out; }) ==
          "replica 3 is out of the ISR: held out by hand or by flap damping (epoch 4)");
    CHECK(why([](Explanation& e) {
              e.state = ReplicaState::not_eligible;
              e.verdict = Verdict::not_eligible;
          }) ==
          "replica 3 is out of the ISR: a learner, joining or leaving replica cannot be in "
          "sync (epoch 4)");
    CHECK(why([](Explanation&) {}) ==
          "replica 3 is out of the ISR: so replica 1 published it (epoch 4)");
    CHECK(why([](Explanation& e) { e.leader = insync::kNoNode; }) ==
          "replica 3 is out of the ISR: so it was last published; no leader is known (epoch 4)");
    CHECK(why([](Explanation& e) { e.state = ReplicaState::not_a_member; }) ==
          "replica 3 is out of the ISR: its consensus group has no such member (epoch 4)");
    CHECK(why([](Explanation& e) { e.state = ReplicaState::as_decided; }) ==
          "replica 3 is out of the ISR: so this node decided while it led; replica 1 leads "
          "(epoch 4)");
    CHECK(why([](Explanation& e) {
              e.state = ReplicaState::as_registered;
              e.epoch_fell = true;
          }) ==
          "replica 3 is out of the ISR: so it began, and nothing was published yet; replica 1 "
          "leads (epoch 4); its group is in an older epoch now: register it anew");
}

TEST_CASE("a member that fails a rule but was not judged yet is told the rule", "[format]") {
    // Between two sweeps, or in a stalled one, a member may be over the limit and still a member.
    Explanation one;
    one.node = 3;
    one.member = true;
    one.state = ReplicaState::grace;
    one.verdict = Verdict::lag_ms;
    one.lag.time = 11s;
    one.limits = {.entries = 10'000, .time = 10s};
    one.epoch = 9;
    CHECK(fmt::format("{}", one) ==
          "replica 3 is in the ISR: not caught up for 11000 ms, limit 10000 ms (epoch 9)");
}
