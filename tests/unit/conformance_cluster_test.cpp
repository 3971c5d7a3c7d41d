#include "toy_raft.hpp"

#include <insync/testing/conformance_cluster.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string_view>

using insync::NodeId;
using insync::testing::ClusterAbility;
using insync::testing::ConformanceCluster;
using insync::testing::HasInterruptedReads;
using insync::testing::HasReplicaKinds;

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

} // namespace

TEST_CASE("a cluster with just what the concept names satisfies it", "[conformance_cluster]") {
    STATIC_REQUIRE(ConformanceCluster<Whole>);
    STATIC_REQUIRE(HasReplicaKinds<Whole>);
    STATIC_REQUIRE(HasInterruptedReads<Whole>);
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
}
