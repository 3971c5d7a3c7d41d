// The configuration: the four variables of the environment against a reader that is written from
// the documentation, and whatever `validate` accepts under time and load.

#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using fuzz::Input;
using fuzz::require;
using insync::Index;
using insync::IsrConfig;
using insync::Millis;

struct Variable {
    const char* name;
    std::string_view most; ///< the largest legal value
    std::optional<std::string> text;
};

/// A legal value; nothing for what is none: digits alone, from 1 to `most`, zeros in front or not.
std::optional<std::int64_t> legal_value(const Variable& variable) {
    std::string_view digits = *variable.text;
    const bool all =
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    if (!all || digits.empty() || digits.size() > variable.most.size()) return std::nullopt;
    if (digits.size() == variable.most.size() && digits > variable.most) return std::nullopt;
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

IsrConfig some_config(Input& input) {
    constexpr std::int64_t kTimes[] = {-1, 0, 1, 2, 1000, 10'000, 1LL << 30, (1LL << 31) - 1};
    const auto time = [&] {
        return Millis{input.flag() ? input.one_of(kTimes) : input.number<std::int64_t>()};
    };
    IsrConfig config;
    if (input.flag()) config.max_lag_ms = time();
    if (input.flag()) config.check_interval_ms = time();
    if (input.flag()) config.quorum_contact_ms = time();
    if (input.flag()) config.max_lag_entries = input.number<std::uint64_t>();
    if (input.flag()) config.min_insync_replicas = input.number<std::int32_t>();
    if (input.flag()) config.max_waits = input.number<std::uint8_t>();
    if (input.flag()) config.damping = {input.number<std::int8_t>(), time(), time(), time()};
    if (input.flag()) config.unknown_partition = insync::UnknownPartition::deny;
    return config;
}

/// What the four variables must come to.
void check_environment(Input& input, const IsrConfig& base) {
    constexpr std::string_view kMostMs = "2147483647";
    std::array<Variable, 4> variables{{{"CHRONIK_ISR_MAX_LAG_ENTRIES", "9223372036854775807", {}},
                                       {"CHRONIK_ISR_MAX_LAG_MS", kMostMs, {}},
                                       {"CHRONIK_ISR_CHECK_INTERVAL_MS", kMostMs, {}},
                                       {"CHRONIK_MIN_INSYNC_REPLICAS", kMostMs, {}}}};
    for (Variable& variable : variables) {
        if (!input.flag()) continue;
        variable.text = input.bytes(input.below(24));
        variable.text->resize(std::min(variable.text->find('\0'), variable.text->size()));
    }
    const auto read = insync::from_environment(
        [&](const char* name) -> const char* {
            for (const Variable& variable : variables)
                if (name == std::string_view{variable.name})
                    return variable.text ? variable.text->c_str() : nullptr;
            require(false, "no other variable is asked for");
            return nullptr;
        },
        base);
    for (const Variable& variable : variables) {
        if (!variable.text || legal_value(variable)) continue;
        require(read.error.has_value(), "what is no whole number in range is refused");
        const std::string told = std::string{variable.name} + " is '" + *variable.text +
                                 "'; it must be a whole number from 1 to ";
        require(read.error->what == told + std::string{variable.most},
                "the first bad variable is told, with its value and range");
        return;
    }
    IsrConfig due = base;
    const auto value = [&](std::size_t i) { return legal_value(variables[i]).value(); };
    if (variables[0].text) due.max_lag_entries = static_cast<Index>(value(0));
    if (variables[1].text) due.max_lag_ms = Millis{value(1)};
    if (variables[2].text) due.check_interval_ms = Millis{value(2)};
    if (variables[3].text) due.min_insync_replicas = static_cast<int>(value(3));
    const IsrConfig& got = read.config;
    require(got.max_lag_entries == due.max_lag_entries && got.max_lag_ms == due.max_lag_ms &&
                got.check_interval_ms == due.check_interval_ms &&
                got.min_insync_replicas == due.min_insync_replicas,
            "each variable sets its field and no other");
    const auto fault = insync::validate(due);
    require(read.error.has_value() == fault.has_value(), "the whole is validated");
    require(!fault || read.error->what == fault->what, "and its first fault is told");
}

/// What validation promises, from the documentation of the fields.
bool is_legal(const IsrConfig& config, Millis slack) {
    const insync::Damping& damping = config.damping;
    return config.check_interval_ms.count() >= 1 && config.max_lag_ms > slack &&
           config.max_lag_ms / 2 >= config.check_interval_ms && config.max_lag_entries >= 1 &&
           config.min_insync_replicas >= 1 && config.quorum_contact_ms.count() >= 1 &&
           damping.join_percent >= 1 && damping.join_percent <= 100 &&
           damping.min_dwell.count() >= 0 &&
           (damping.max_dwell.count() == 0 || damping.max_dwell >= damping.min_dwell);
}

/// Time passes and replicas come and go under an accepted configuration, however extreme: the
/// sanitizers look for overflows.
void run_manager(
    Input& input,
    insync::testing::ScriptedView& view,
    const insync::testing::ManualClock& clock,
    insync::IsrManager<insync::testing::ScriptedView, insync::testing::ManualClock>& isr) {
    view.lead("t", 0, 1, 1, 100);
    (void)isr.initialize_isr("t", 0, {1, 2, 3});
    while (!input.empty()) {
        view.follower("t", 0, static_cast<insync::NodeId>(2 + input.below(2)), input.below(101),
                      clock.now() - Millis{input.below(4)});
        const auto by = Millis{
            static_cast<std::int64_t>(input.number<std::uint64_t>() >> 1 >> input.below(63))};
        clock.advance(std::min(by, insync::TimePoint::max() - clock.now()));
        if (input.flag()) (void)isr.remove_from_isr("t", 0, 2);
        isr.tick();
        require(isr.get_isr("t", 0)->contains(1), "the leader is always in its own ISR");
        require(isr.next_deadline() > clock.now() || clock.now() == insync::TimePoint::max(),
                "a tick leaves nothing due");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    const IsrConfig config = some_config(input);
    check_environment(input, config);

    insync::testing::ScriptedView view;
    const Millis slack{input.below(20'000)};
    view.set_contact_slack(slack);
    const auto fault = insync::validate(config, slack);
    require(!fault == is_legal(config, slack), "a configuration is refused where it is not legal");
    const insync::testing::ManualClock clock{insync::TimePoint{Millis{input.below(1000)}}};
    try {
        insync::IsrManager isr{1, view, config, clock};
        require(!fault, "no manager begins with a configuration that is refused");
        run_manager(input, view, clock, isr);
    } catch (const std::invalid_argument& error) {
        require(fault && std::string_view{error.what()}.ends_with(fault->what), "it says why");
    }
    return 0;
}
