#include "toy_raft.hpp"

#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string_view>

using insync::NodeId;
using namespace insync::testing; // the concepts

namespace {

/// All that is asked for: the near misses below change one thing each.
struct Whole : toy::Rig {
    using View = insync::testing::ScriptedView;
    View& view(NodeId) { return only; }
    std::string_view cannot(ClusterAbility) const { return ""; }
    View only;
};

struct SaysNothingOfAbilities : toy::Rig {
    using View = insync::testing::ScriptedView;
    View& view(NodeId) { return only; }
    View only;
};
struct ViewIsACopy : Whole {
    int view(NodeId) { return 0; }
};
struct ElectsSilently : Whole {
    void elect(NodeId) {}
};
struct AppendsSilently : Whole {
    void append(NodeId) {}
};
struct HasNoView : Whole {
    using View = int;
};
struct CannotCut : Whole {
    void cut(NodeId) = delete;
};
struct KnowsNoKinds : Whole {
    void set_kind(NodeId) {}
};
struct ReadsAtOnce : Whole {
    void during_read(NodeId) {}
};
/// Half of what each of these needs, or something else under its name.
struct HoldsForEver : Whole {
    void release_disk(NodeId) = delete;
    void deliver_answers(NodeId) = delete;
    void add(NodeId) = delete;
    void lose_appends() {}
    void campaign_in_vain() {}
    void keep_leaders() = delete;
    [[nodiscard]] static int round_trip() { return 10; }
};

} // namespace

TEST_CASE("a cluster with just what the concept names satisfies it", "[conformance_cluster]") {
    STATIC_REQUIRE(ConformanceCluster<Whole>);
    STATIC_REQUIRE(HasReplicaKinds<Whole>);
    STATIC_REQUIRE(HasInterruptedReads<Whole>);
    STATIC_REQUIRE(HasHeldDisks<Whole>);
    STATIC_REQUIRE(HasLostAppends<Whole>);
    STATIC_REQUIRE(HasHeldAnswers<Whole>);
    STATIC_REQUIRE(HasRemovedMembers<Whole>);
    STATIC_REQUIRE(HasVainCampaigns<Whole>);
    STATIC_REQUIRE(HasLastingLeaders<Whole>);
    STATIC_REQUIRE(HasRoundTrips<Whole>);
}

TEST_CASE("near misses are no clusters", "[conformance_cluster]") {
    STATIC_REQUIRE_FALSE(ConformanceCluster<SaysNothingOfAbilities>);
    STATIC_REQUIRE_FALSE(ConformanceCluster<ViewIsACopy>);
    STATIC_REQUIRE_FALSE(ConformanceCluster<ElectsSilently>);
    STATIC_REQUIRE_FALSE(ConformanceCluster<AppendsSilently>);
    STATIC_REQUIRE_FALSE(ConformanceCluster<HasNoView>);
    STATIC_REQUIRE_FALSE(ConformanceCluster<CannotCut>);
    STATIC_REQUIRE_FALSE(ConformanceCluster<toy::Rig>);
}

TEST_CASE("a cluster without the optional functions is one still", "[conformance_cluster]") {
    STATIC_REQUIRE(ConformanceCluster<KnowsNoKinds>);
    STATIC_REQUIRE_FALSE(HasReplicaKinds<KnowsNoKinds>);
    STATIC_REQUIRE(ConformanceCluster<ReadsAtOnce>);
    STATIC_REQUIRE_FALSE(HasInterruptedReads<ReadsAtOnce>);
    STATIC_REQUIRE(ConformanceCluster<HoldsForEver>);
    STATIC_REQUIRE_FALSE(HasHeldDisks<HoldsForEver>);
    STATIC_REQUIRE_FALSE(HasHeldAnswers<HoldsForEver>);
    STATIC_REQUIRE_FALSE(HasRemovedMembers<HoldsForEver>);
    STATIC_REQUIRE_FALSE(HasLostAppends<HoldsForEver>);
    STATIC_REQUIRE_FALSE(HasVainCampaigns<HoldsForEver>);
    STATIC_REQUIRE_FALSE(HasLastingLeaders<HoldsForEver>);
    STATIC_REQUIRE_FALSE(HasRoundTrips<HoldsForEver>);
}
