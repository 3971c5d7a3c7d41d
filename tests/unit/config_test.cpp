#include <insync/config.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using insync::ConfigError;
using insync::Damping;
using insync::IsrConfig;
using insync::Millis;
using insync::validate;

namespace {

/// What is wrong with a configuration; empty if nothing is.
std::string fault(const IsrConfig& config, Millis contact_slack = 0ms) {
    const std::optional<ConfigError> error = validate(config, contact_slack);
    return error ? error->what : std::string{};
}

} // namespace

TEST_CASE("the defaults are those of the design documents, and legal", "[config]") {
    const IsrConfig config;
    CHECK(config.max_lag_entries == 10'000);
    CHECK(config.max_lag_ms == 10s);
    CHECK(config.check_interval_ms == 1s);
    CHECK(config.min_insync_replicas == 2);
    CHECK(config.unknown_partition == insync::UnknownPartition::allow);
    CHECK_FALSE(config.damping.enabled());
    CHECK(fault(config).empty());
}

TEST_CASE("every field out of range is refused in words that name field, value and range",
          "[config]") {
    struct Row {
        IsrConfig config;
        const char* words;
    };
    const Row rows[] = {
        {{.check_interval_ms = 0ms}, "check_interval_ms is 0; it must be at least 1"},
        {{.check_interval_ms = -1ms}, "check_interval_ms is -1; it must be at least 1"},
        {{.max_lag_ms = 0ms}, "max_lag_ms is 0; it must be at least 1"},
        {{.max_lag_ms = -10s}, "max_lag_ms is -10000; it must be at least 1"},
        {{.max_lag_ms = 1999ms},
         "max_lag_ms is 1999; it must be at least twice check_interval_ms, which is 1000"},
        {{.max_lag_entries = 0}, "max_lag_entries is 0; it must be at least 1"},
        {{.min_insync_replicas = 0}, "min_insync_replicas is 0; it must be at least 1"},
        {{.min_insync_replicas = -2}, "min_insync_replicas is -2; it must be at least 1"},
        {{.quorum_contact_ms = 0ms}, "quorum_contact_ms is 0; it must be at least 1"},
        {{.quorum_contact_ms = -1ms}, "quorum_contact_ms is -1; it must be at least 1"},
        {{.damping = {.join_percent = 0}}, "damping.join_percent is 0; it must be from 1 to 100"},
        {{.damping = {.join_percent = 101}},
         "damping.join_percent is 101; it must be from 1 to 100"},
        {{.damping = {.min_dwell = -1ms}}, "damping.min_dwell is -1; it must be at least 0"},
        {{.damping = {.min_dwell = 2s, .max_dwell = 1s}},
         "damping.max_dwell is 1000; it must be 0 or at least damping.min_dwell"},
        {{.damping = {.max_dwell = -1ms}},
         "damping.max_dwell is -1; it must be 0 or at least damping.min_dwell"},
    };
    for (const Row& row : rows) CHECK(fault(row.config) == row.words);
}

TEST_CASE("the values at the ends of the ranges are legal", "[config]") {
    const IsrConfig legal[] = {
        {.max_lag_ms = 2ms, .check_interval_ms = 1ms},
        {.max_lag_ms = 2000ms, .check_interval_ms = 1000ms},
        {.max_lag_ms = Millis::max()},
        {.max_lag_ms = Millis::max(), .check_interval_ms = Millis::max() / 2},
        {.max_lag_entries = 1},
        {.max_lag_entries = IsrConfig::kNoEntryLimit},
        {.min_insync_replicas = 1},
        {.min_insync_replicas = 1'000'000},
        {.quorum_contact_ms = 1ms},
        {.max_waits = 0},
        {.damping = {.join_percent = 1}},
        {.damping = {.min_dwell = 5s}},
        {.damping = {.min_dwell = 5s, .max_dwell = 5s}},
    };
    for (const IsrConfig& config : legal) CHECK(fault(config) == "");
}

TEST_CASE("a limit within the view's contact slack is refused", "[config]") {
    // Contacts may be late by the slack: at such a limit a healthy follower would look silent.
    IsrConfig config;
    config.max_lag_ms = 5s;
    CHECK(fault(config, 4999ms).empty());
    CHECK(fault(config, 5000ms) ==
          "max_lag_ms is 5000; it must be above the consensus view's contact slack, which is 5000");
    CHECK_FALSE(fault(config, 6000ms).empty());
}

TEST_CASE("the first of several faults is the one that is told", "[config]") {
    IsrConfig config;
    config.check_interval_ms = 0ms;
    config.max_lag_ms = 0ms;
    config.min_insync_replicas = 0;
    CHECK(fault(config) == "check_interval_ms is 0; it must be at least 1");
}

TEST_CASE("damping is on as soon as one of its knobs is", "[config]") {
    CHECK_FALSE(Damping{}.enabled());
    CHECK(Damping{.join_percent = 99}.enabled());
    CHECK(Damping{.min_dwell = 1ms}.enabled());
    CHECK_FALSE(Damping{.max_dwell = 1s}.enabled()); // it only bounds the dwell
}
