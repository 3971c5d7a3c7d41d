#include "toy_raft.hpp"
#include "toy_view.hpp"

#include <insync/testing/conformance.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using insync::NodeId;
using insync::ReplicaKind;
using insync::testing::check_conformance;
using insync::testing::ClusterAbility;
using insync::testing::ConformanceOutcome;
using insync::testing::ConformanceResult;

namespace {

/// The right view on a cluster that the tests below spoil.
class Cluster : public toy::Rig {
public:
    using View = ToyView;

    ToyView& view(NodeId id) { return views_.try_emplace(id, node(id)).first->second; }
    void add(NodeId id) {
        toy::Rig::add(id);
        views_.erase(id);
    }
    static std::string_view cannot(ClusterAbility) { return ""; }

private:
    std::map<NodeId, ToyView> views_;
};

struct ElectsNobody : Cluster {
    static bool elect(NodeId) { return false; }
};
struct StandsStill : Cluster {
    static void advance(insync::Millis) {}
};
struct Throws : Cluster {
    static insync::Index append(NodeId) { throw std::runtime_error{"no disk"}; }
};
struct NeverInterrupts : Cluster {
    void during_read(NodeId, const std::function<void()>&) {}
};
struct HasTwoNodes : Cluster {
    [[nodiscard]] std::vector<NodeId> nodes() const { return {1, 2}; }
};
/// It has no such function, and does not say so.
struct HidesThatItKnowsNoKinds : Cluster {
    void set_kind(NodeId, ReplicaKind) = delete;
};
/// None of what makes faults visible, and not a word of it.
struct HidesThatItIsPoor : Cluster {
    void hold_disk(NodeId) = delete;
    void lose_appends(NodeId) = delete;
    void hold_answers(NodeId) = delete;
    void remove(NodeId) = delete;
    void campaign_in_vain(NodeId) = delete;
    void keep_leaders() = delete;
    void round_trip() = delete;
};
struct SaysThatItIsPoor : HidesThatItIsPoor {
    static std::string_view cannot(ClusterAbility ability) {
        return ability < ClusterAbility::held_disks ? "" : "its library is not ours";
    }
};
struct SaysThatItKnowsNoLearners : Cluster {
    static std::string_view cannot(ClusterAbility ability) {
        return ability == ClusterAbility::learners ? "it has voters only" : "";
    }
};

template <class Made>
std::vector<ConformanceResult> judge() {
    return check_conformance([] { return Made{}; });
}

ConformanceResult find(const std::vector<ConformanceResult>& results, std::string_view check) {
    return *std::ranges::find(results, check, &ConformanceResult::check);
}

} // namespace

TEST_CASE("a right view on a whole cluster passes every check", "[conformance]") {
    for (const auto& result : judge<Cluster>()) {
        INFO(fmt::format("{}", result));
        CHECK(result.outcome == ConformanceOutcome::ok);
        CHECK(result.detail.empty());
        CHECK(result.advice.empty());
    }
}

TEST_CASE("a cluster that does not do as it promised passes no check", "[conformance]") {
    for (const auto& results :
         {judge<ElectsNobody>(), judge<HasTwoNodes>(), judge<StandsStill>()}) {
        CHECK_FALSE(conforms(results));
        for (const auto& result : results) {
            CHECK(result.outcome == ConformanceOutcome::failed);
            CHECK(result.advice == "this concerns the cluster, not the view");
        }
    }
}

TEST_CASE("what a cluster throws is told, and ends only its own check", "[conformance]") {
    const auto results = judge<Throws>();
    CHECK(find(results, "match_was_confirmed").detail == "no disk");
    CHECK(find(results, "epoch_of_the_group").outcome == ConformanceOutcome::ok);
}

TEST_CASE("what a cluster cannot do is not applicable, with its reason", "[conformance]") {
    const auto results = judge<SaysThatItKnowsNoLearners>();
    CHECK(conforms(results));
    CHECK(fmt::format("{}", find(results, "learners_not_in_sync")) ==
          "not applicable  learners_not_in_sync: it has voters only");
}

TEST_CASE("a function that is missing without a word fails the checks that need it",
          "[conformance]") {
    const auto results = judge<HidesThatItKnowsNoKinds>();
    CHECK_FALSE(conforms(results));
    CHECK(find(results, "learners_not_in_sync").detail ==
          "the cluster has no `set_kind` and does not say in `cannot` why");
    const auto torn = find(judge<NeverInterrupts>(), "torn_read_reported");
    CHECK(torn.detail == "`during_read` has not called its action");
    CHECK(torn.outcome == ConformanceOutcome::failed);
}

namespace {

/// Each check that needs an ability, and the function that it asks for.
constexpr std::pair<std::string_view, std::string_view> kNeeds[] = {
    {"late_answers_verify_nothing", "hold_answers"}, {"heartbeats_verify_nothing", "lose_appends"},
    {"added_again_starts_anew", "remove"},           {"durable_is_on_disk", "hold_disk"},
    {"votes_are_no_contacts", "campaign_in_vain"},   {"slack_covers_a_round_trip", "round_trip"},
    {"held_quorum_is_reached", "keep_leaders"},
};

} // namespace

TEST_CASE("a cluster without the abilities has their checks failed, or told not to apply",
          "[conformance]") {
    const auto hiding = judge<HidesThatItIsPoor>();
    const auto saying = judge<SaysThatItIsPoor>();
    CHECK(conforms(saying));
    for (const auto& [check, function] : kNeeds) {
        const ConformanceResult failed = find(hiding, check);
        CHECK(failed.outcome == ConformanceOutcome::failed);
        CHECK(failed.detail ==
              fmt::format("the cluster has no `{}` and does not say in `cannot` why", function));
        const ConformanceResult told = find(saying, check);
        CHECK(told.outcome == ConformanceOutcome::not_applicable);
        CHECK(told.detail == "its library is not ours");
    }
    for (const auto& result : saying)
        CHECK((result.outcome == ConformanceOutcome::ok) ==
              std::ranges::none_of(kNeeds,
                                   [&](const auto& need) { return need.first == result.check; }));
}
