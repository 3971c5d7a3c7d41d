// The views that ship with the library, judged by the kit that judges those of its users.
// `--success` prints each one's table.
#include "conformance/subjects.hpp"

#include "conformance/nuraft_by_peer_info.hpp"
#include "conformance/simulated_subject.hpp"
#include "hosts/nuraft_cluster.hpp"
#include "toy_view.hpp"

#include <insync/testing/conformance.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace insync_test;
using insync::testing::check_conformance;
using insync::testing::ConformanceOutcome;

namespace {

template <class Cluster>
std::vector<std::string> not_applicable() {
    std::vector<std::string> names;
    const auto results = check_conformance([] { return Cluster{}; });
    for (const auto& result : results) {
        UNSCOPED_INFO(fmt::format("{}", result));
        if (result.outcome == ConformanceOutcome::not_applicable) names.emplace_back(result.check);
    }
    CHECK(conforms(results));
    return names;
}

} // namespace

TEST_CASE("a scripted view conforms", "[conformance][scripted_view]") {
    CHECK(not_applicable<ScriptedCluster>() == std::vector<std::string>{"torn_read_reported"});
}

TEST_CASE("a simulated view conforms, whether or not its leaders step down",
          "[conformance][simulated_cluster]") {
    const std::vector<std::string> expected{"heartbeats_verify_nothing", "torn_read_reported",
                                            "version_tells_of_changes"};
    CHECK(not_applicable<SimulatedSubject<true>>() == expected);
    CHECK(not_applicable<SimulatedSubject<false>>() == expected);
    CHECK(not_applicable<SimulatedSubject<true, 5>>() == expected);
}

TEST_CASE("a view made of queries conforms, where they can tell", "[conformance][queries]") {
    const std::vector<std::string> expected{"added_again_starts_anew", "durable_is_on_disk",
                                            "learners_not_in_sync",    "joiners_not_in_sync",
                                            "leavers_not_in_sync",     "version_tells_of_changes"};
    CHECK(not_applicable<QueriedCluster>() == expected);
    CHECK(not_applicable<BareQueriedCluster>() == expected);
}

TEST_CASE("a NuRaft view conforms, over a double of NuRaft", "[conformance][nuraft]") {
    CHECK(not_applicable<hosts::NuraftCluster>() ==
          std::vector<std::string>{"heartbeats_verify_nothing", "joiners_not_in_sync",
                                   "leavers_not_in_sync", "version_tells_of_changes"});
}

TEST_CASE("a view by NuRaft's peer info fails where NuRaft's word is of another term",
          "[conformance][nuraft]") {
    using Cluster = hosts::NuraftClusterOf<PeerInfoHost, PeerInfoView>;
    std::vector<std::string> failed;
    for (const auto& result : check_conformance([] { return Cluster{}; }))
        if (result.outcome == ConformanceOutcome::failed) failed.emplace_back(result.check);
    CHECK(failed == std::vector<std::string>{"leader_is_of_the_epoch",
                                             "late_answers_verify_nothing",
                                             "added_again_starts_anew"});
}
