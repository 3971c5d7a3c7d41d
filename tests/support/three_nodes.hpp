#pragma once

#include <insync/testing/simulated_cluster.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace support {

/// Three nodes and one group that node 1 leads.
struct Three {
    insync::testing::SimulatedCluster cluster;
    insync::testing::GroupNumber group;

    explicit Three(const insync::testing::SimulatedOptions& options = {}) : cluster(options) {
        group = cluster.add_group("t", 0, {1, 2, 3});
        REQUIRE(cluster.elect(group, 1));
        cluster.advance(insync::Millis{200});
    }
    [[nodiscard]] insync::GroupState read(insync::NodeId node) const {
        insync::GroupState state;
        REQUIRE(cluster.read(group, node, state) == insync::ReadResult::ok);
        return state;
    }
    [[nodiscard]] const insync::FollowerRow& row(const insync::GroupState& state,
                                                 insync::NodeId node) const {
        const auto& rows = state.followers;
        const auto found = std::find_if(rows.begin(), rows.end(),
                                        [&](const auto& each) { return each.node == node; });
        REQUIRE(found != rows.end());
        return *found;
    }
};

} // namespace support
