#include <insync/config.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using insync::ConfigResult;
using insync::from_environment;
using insync::IsrConfig;

namespace {

using Variables = std::map<std::string, std::string>;

ConfigResult read(const Variables& variables, const IsrConfig& base = {}) {
    return from_environment(
        [&](const char* name) -> const char* {
            const auto found = variables.find(name);
            return found == variables.end() ? nullptr : found->second.c_str();
        },
        base);
}

std::string fault(const Variables& variables) {
    const ConfigResult result = read(variables);
    return result.error ? result.error->what : std::string{};
}

} // namespace

TEST_CASE("without variables the configuration is the base", "[config]") {
    IsrConfig base;
    base.max_lag_ms = 7s;
    base.max_lag_entries = IsrConfig::kNoEntryLimit;
    base.damping.join_percent = 50;
    const ConfigResult result = read({}, base);
    REQUIRE_FALSE(result.error);
    CHECK(result.config.max_lag_ms == 7s);
    CHECK(result.config.max_lag_entries == IsrConfig::kNoEntryLimit);
    CHECK(result.config.check_interval_ms == 1s);
    CHECK(result.config.min_insync_replicas == 2);
    CHECK(result.config.damping.join_percent == 50);
}

TEST_CASE("each of the four variables sets its own field", "[config]") {
    const ConfigResult result = read({{"CHRONIK_ISR_MAX_LAG_ENTRIES", "500"},
                                      {"CHRONIK_ISR_MAX_LAG_MS", "3000"},
                                      {"CHRONIK_ISR_CHECK_INTERVAL_MS", "250"},
                                      {"CHRONIK_MIN_INSYNC_REPLICAS", "3"}});
    REQUIRE_FALSE(result.error);
    CHECK(result.config.max_lag_entries == 500);
    CHECK(result.config.max_lag_ms == 3000ms);
    CHECK(result.config.check_interval_ms == 250ms);
    CHECK(result.config.min_insync_replicas == 3);
}

TEST_CASE("one variable alone leaves the other fields as they were", "[config]") {
    const ConfigResult result = read({{"CHRONIK_MIN_INSYNC_REPLICAS", "1"}});
    REQUIRE_FALSE(result.error);
    CHECK(result.config.min_insync_replicas == 1);
    CHECK(result.config.max_lag_entries == 10'000);
    CHECK(result.config.max_lag_ms == 10s);
    CHECK(result.config.check_interval_ms == 1s);
}

TEST_CASE("a value that is no whole number in range is refused by name, value and range",
          "[config]") {
    struct Variable {
        const char* name;
        const char* most;
    };
    constexpr Variable kVariables[] = {
        {"CHRONIK_ISR_MAX_LAG_ENTRIES", "9223372036854775807"},
        {"CHRONIK_ISR_MAX_LAG_MS", "2147483647"},
        {"CHRONIK_ISR_CHECK_INTERVAL_MS", "2147483647"},
        {"CHRONIK_MIN_INSYNC_REPLICAS", "2147483647"},
    };
    constexpr const char* kBad[] = {
        "",                        // set, but to nothing
        "0",                       // below the range
        "-5",                      // below the range
        "9223372036854775808",     // above every range
        "99999999999999999999999", // does not fit into any number
        "10s",                     // a unit that the documents do not have
        " 10",
        "10 ",
        "+10", // a number, but not alone
        "0x10",
        "1e3",
        "2.5", // other notations
        "ten",
    };
    for (const Variable& variable : kVariables)
        for (const char* const bad : kBad) {
            const std::string words = std::string{variable.name} + " is '" + bad +
                                      "'; it must be a whole number from 1 to " + variable.most;
            CHECK(fault({{variable.name, bad}}) == words);
        }
}

TEST_CASE("a millisecond value just above its range is refused", "[config]") {
    CHECK(fault({{"CHRONIK_ISR_MAX_LAG_MS", "2147483647"}}).empty());
    CHECK_FALSE(fault({{"CHRONIK_ISR_MAX_LAG_MS", "2147483648"}}).empty());
    CHECK_FALSE(fault({{"CHRONIK_MIN_INSYNC_REPLICAS", "2147483648"}}).empty());
    CHECK(fault({{"CHRONIK_ISR_MAX_LAG_ENTRIES", "9223372036854775807"}}).empty());
}

TEST_CASE("variables that are legal alone but not together are refused", "[config]") {
    CHECK(fault({{"CHRONIK_ISR_MAX_LAG_MS", "1500"}}) ==
          "max_lag_ms is 1500; it must be at least twice check_interval_ms, which is 1000");
    CHECK(fault({{"CHRONIK_ISR_MAX_LAG_MS", "1500"}, {"CHRONIK_ISR_CHECK_INTERVAL_MS", "750"}})
              .empty());
}

TEST_CASE("one bad variable is told although others are good", "[config]") {
    const std::string words = fault({{"CHRONIK_ISR_MAX_LAG_ENTRIES", "500"},
                                     {"CHRONIK_ISR_CHECK_INTERVAL_MS", "soon"},
                                     {"CHRONIK_MIN_INSYNC_REPLICAS", "3"}});
    CHECK(words.starts_with("CHRONIK_ISR_CHECK_INTERVAL_MS is 'soon'"));
}

TEST_CASE("no other variable is ever asked for", "[config]") {
    std::map<std::string, int, std::less<>> asked;
    (void)from_environment([&](const char* name) -> const char* {
        ++asked[name];
        return nullptr;
    });
    CHECK(asked.size() == 4);
    for (const auto& [name, times] : asked) {
        CHECK(name.starts_with("CHRONIK_"));
        CHECK(times == 1);
    }
}

TEST_CASE("without a function the process's own environment is read", "[config]") {
    constexpr const char* kName = "CHRONIK_ISR_MAX_LAG_MS";
    REQUIRE(setenv(kName, "4321", 1) == 0);
    const ConfigResult result = from_environment();
    REQUIRE(unsetenv(kName) == 0);
    REQUIRE_FALSE(result.error);
    CHECK(result.config.max_lag_ms == 4321ms);
    CHECK(from_environment().config.max_lag_ms == 10s);
}
