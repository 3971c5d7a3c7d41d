// A kit that calls everything right is worth nothing: each mistake must fail its own check, and no
// other, so that a red line says what to change. `--success` prints the matrix.
#include "conformance/wrong_views.hpp"

#include <insync/testing/conformance.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace insync_test;
using insync::testing::check_conformance;
using insync::testing::ConformanceOutcome;
using insync::testing::ConformanceResult;

namespace {

std::vector<ConformanceResult> judge(const Mistake& mistake) {
    return check_conformance([&] { return WrongCluster{mistake}; });
}

std::vector<std::string> failed(const std::vector<ConformanceResult>& results) {
    std::vector<std::string> names;
    for (const ConformanceResult& result : results)
        if (result.outcome == ConformanceOutcome::failed) names.emplace_back(result.check);
    return names;
}

} // namespace

TEST_CASE("each mistake of a view fails the check that is about it, and no other",
          "[conformance]") {
    for (const Mistake& mistake : mistakes()) {
        const auto results = judge(mistake);
        std::string row;
        for (const auto& result : results) {
            row += result.outcome == ConformanceOutcome::failed ? 'X' : '.';
            if (result.outcome == ConformanceOutcome::failed)
                UNSCOPED_INFO(fmt::format("{}", result));
        }
        INFO(fmt::format("{} {}", row, mistake.name));
        CHECK(failed(results) == std::vector<std::string>{std::string{mistake.found_by}});
    }
}

TEST_CASE("every check is failed by some mistake", "[conformance]") {
    std::set<std::string_view> guarded;
    for (const Mistake& mistake : mistakes()) guarded.insert(mistake.found_by);
    for (const auto& result : judge(mistakes().front())) {
        INFO(result.check);
        CHECK(guarded.contains(result.check));
    }
}

TEST_CASE("a view that never answers passes no check", "[conformance]") {
    const Mistake silence{
        .name = "never_answers", .found_by = "all", .make = [](toy::Rig&, toy::Node&) -> Spoil {
            return [](ReadResult& result, GroupState&) { result = ReadResult::unavailable; };
        }};
    for (const ConformanceResult& result : judge(silence)) {
        INFO(result.check);
        CHECK(result.outcome == ConformanceOutcome::failed);
        CHECK(result.detail == "20 reads on node 1 in a row were torn or unavailable");
    }
}

TEST_CASE("a failed check says what was seen and what to change", "[conformance]") {
    const std::vector<Mistake> all = mistakes();
    CHECK(fmt::format("{}", judge(all.front()).front()) ==
          "FAILED          leader_not_in_rows: node 1 leads and has a row for itself\n"
          "                -> leave the view's own node out of the rows; many libraries list it "
          "among its peers");
}
