// The view that ships for raft-rs and etcd raft, judged by the kit on both libraries themselves.
// `--success` prints the tables.
#include "hosts/conformance_cluster.hpp"
#include "property/random.hpp"

#include <insync/testing/conformance.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

using hosts::ClusterOptions;
using hosts::Mistake;
using insync::testing::check_conformance;
using insync::testing::ConformanceOutcome;
using insync::testing::ConformanceResult;

namespace {

std::vector<ConformanceResult> judge(const raft_host& library,
                                     const ClusterOptions& options,
                                     Mistake mistake = Mistake::none) {
    return check_conformance([&] { return hosts::ConformanceCluster{library, options, mistake}; });
}

std::vector<std::string> with(const std::vector<ConformanceResult>& results,
                              ConformanceOutcome outcome) {
    std::vector<std::string> names;
    for (const ConformanceResult& result : results)
        if (result.outcome == outcome) names.emplace_back(result.check);
    return names;
}

} // namespace

TEST_CASE("the view of raft_c.h conforms on raft-rs and etcd raft, with check_quorum and without",
          "[hosts][conformance]") {
    const raft_host& library = *GENERATE(raft_rs_host(), etcd_raft_host());
    ClusterOptions options;
    options.check_quorum = GENERATE(true, false);
    options.pre_vote = GENERATE(true, false);
    options.async_persistence = GENERATE(true, false);
    const auto first = property::from_environment("INSYNC_SEED", 1);
    const auto runs = property::from_environment("INSYNC_RUNS", 1);
    for (options.seed = first; options.seed < first + runs; ++options.seed) {
        INFO(library.name << ", check_quorum " << options.check_quorum << ", pre_vote "
                          << options.pre_vote << ", asynchronous writes "
                          << options.async_persistence << ", INSYNC_SEED=" << options.seed);
        const auto results = judge(library, options);
        for (const auto& result : results) UNSCOPED_INFO(fmt::format("{}", result));
        REQUIRE(conforms(results));
        // One call under one lock; and a disk that is written at once cannot be kept waiting.
        std::vector<std::string> expected{"torn_read_reported"};
        if (!options.async_persistence) expected.emplace_back("durable_is_on_disk");
        REQUIRE(with(results, ConformanceOutcome::not_applicable) == expected);
    }
}
