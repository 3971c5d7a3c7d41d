#pragma once

#include <insync/types.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace insync {

/// What `has_min_isr` answers for a partition that is not tracked (S5).
enum class UnknownPartition : std::uint8_t {
    allow, ///< a standalone broker has no ISR tracking and still takes writes
    deny,
};

/// Flap damping (S3): makes re-joining the ISR harder than staying in it. Off by default.
struct Damping {
    /// Joining needs lags within this percentage of the limits for staying; 1 to 100.
    int join_percent = 100;
    /// A replica that left stays out at least this long. 0 switches dwell and penalty off.
    Millis min_dwell{0};
    /// Each departure within `penalty_window` of the one before doubles the dwell, at most to this.
    Millis max_dwell{0};
    Millis penalty_window{600'000};

    [[nodiscard]] constexpr bool enabled() const noexcept {
        return join_percent != 100 || min_dwell.count() > 0;
    }
};

/// The limits within which a replica is in sync, and what rests on them.
struct IsrConfig {
    /// Longest time since a member last held all that its leader had (S3); the bound itself is
    /// in sync. At least twice `check_interval_ms`. Ages saturate at 2^30 ms (12 days), so a larger
    /// limit means "never out by time".
    Millis max_lag_ms{10'000};
    /// Most entries a member may be behind; `kNoEntryLimit` switches the rule off.
    Index max_lag_entries = 10'000;
    /// How often `tick()` sweeps.
    Millis check_interval_ms{1'000};
    /// Members an acks=all write needs, unless the partition has its own; at least 1. The effective
    /// value is never more than the partition has replicas.
    int min_insync_replicas = 2;
    UnknownPartition unknown_partition = UnknownPartition::allow;
    /// For views that do not report a quorum: a leader that lacks contact with a majority of the
    /// voters for longer than this refuses writes (S5).
    Millis quorum_contact_ms{3'000};
    /// acks=all waits that may be pending at one time; more are refused.
    std::uint32_t max_waits = 1'000'000;
    Damping damping{};

    static constexpr Index kNoEntryLimit = std::numeric_limits<Index>::max();
};

/// Why a configuration is refused: where, what, and which values are legal.
struct ConfigError {
    std::string what;
};

/// The first thing wrong with `config`, or nothing. `contact_slack` is the view's (S3).
[[nodiscard]] inline std::optional<ConfigError> validate(const IsrConfig& config,
                                                         Millis contact_slack = Millis{0}) {
    const auto refuse = [](std::string_view field, std::int64_t value, std::string_view range) {
        std::string text{field};
        text.append(" is ").append(std::to_string(value)).append("; it must be ").append(range);
        return ConfigError{std::move(text)};
    };
    const auto lag = config.max_lag_ms.count();
    const auto interval = config.check_interval_ms.count();
    const Damping& damping = config.damping;
    if (interval < 1) return refuse("check_interval_ms", interval, "at least 1");
    if (lag < 1) return refuse("max_lag_ms", lag, "at least 1");
    if (lag / 2 < interval)
        return refuse("max_lag_ms", lag,
                      "at least twice check_interval_ms, which is " + std::to_string(interval));
    if (lag <= contact_slack.count())
        return refuse("max_lag_ms", lag,
                      "above the consensus view's contact slack, which is " +
                          std::to_string(contact_slack.count()));
    if (config.max_lag_entries < 1) return refuse("max_lag_entries", 0, "at least 1");
    if (config.min_insync_replicas < 1)
        return refuse("min_insync_replicas", config.min_insync_replicas, "at least 1");
    if (config.quorum_contact_ms.count() < 1)
        return refuse("quorum_contact_ms", config.quorum_contact_ms.count(), "at least 1");
    if (damping.join_percent < 1 || damping.join_percent > 100)
        return refuse("damping.join_percent", damping.join_percent, "from 1 to 100");
    if (damping.min_dwell.count() < 0)
        return refuse("damping.min_dwell", damping.min_dwell.count(), "at least 0");
    if (damping.max_dwell < damping.min_dwell && damping.max_dwell.count() != 0)
        return refuse("damping.max_dwell", damping.max_dwell.count(),
                      "0 or at least damping.min_dwell");
    return std::nullopt;
}

/// A configuration, or the reason why there is none. Test `error` before using `config`.
struct ConfigResult {
    IsrConfig config;
    std::optional<ConfigError> error;
};

namespace detail {

/// Reads a whole decimal number from `variable` into `value`; an unset variable changes nothing.
template <class Getenv>
std::optional<ConfigError> read_variable(const Getenv& getenv,
                                         const char* variable,
                                         std::int64_t most,
                                         std::int64_t& value) {
    const char* const text = getenv(variable);
    if (text == nullptr) return std::nullopt;
    const std::string_view view{text};
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), number);
    if (error == std::errc{} && end == view.data() + view.size() && number >= 1 && number <= most) {
        value = number;
        return std::nullopt;
    }
    std::string what{variable};
    what.append(" is '").append(view).append("'; it must be a whole number from 1 to ");
    what.append(std::to_string(most));
    return ConfigError{std::move(what)};
}

} // namespace detail

/// `base` with what the four `CHRONIK_` variables say in its place, validated. A variable that is
/// set to anything but a whole number in range is an error that names it, its value and the range;
/// it is never silently ignored. `getenv` is called as `getenv(const char*) -> const char*`.
template <class Getenv>
[[nodiscard]] ConfigResult from_environment(const Getenv& getenv, IsrConfig base = {}) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    auto entries = static_cast<std::int64_t>(base.max_lag_entries < kMaxIndex ? base.max_lag_entries
                                                                              : kMaxIndex);
    std::int64_t lag = base.max_lag_ms.count();
    std::int64_t interval = base.check_interval_ms.count();
    std::int64_t min_isr = base.min_insync_replicas;
    ConfigResult result{base, std::nullopt};
    const auto read = [&](const char* variable, std::int64_t most, std::int64_t& value) {
        if (!result.error) result.error = detail::read_variable(getenv, variable, most, value);
    };
    const std::int64_t configured_entries = entries;
    read("CHRONIK_ISR_MAX_LAG_ENTRIES", std::numeric_limits<std::int64_t>::max(), entries);
    read("CHRONIK_ISR_MAX_LAG_MS", kMost, lag);
    read("CHRONIK_ISR_CHECK_INTERVAL_MS", kMost, interval);
    read("CHRONIK_MIN_INSYNC_REPLICAS", kMost, min_isr);
    if (result.error) return result;
    if (entries != configured_entries) result.config.max_lag_entries = static_cast<Index>(entries);
    result.config.max_lag_ms = Millis{lag};
    result.config.check_interval_ms = Millis{interval};
    result.config.min_insync_replicas = static_cast<int>(min_isr);
    result.error = validate(result.config);
    return result;
}

/// The same from the process's environment. Call it before other threads change that.
[[nodiscard]] inline ConfigResult from_environment() {
    return from_environment([](const char* variable) { return std::getenv(variable); });
}

} // namespace insync
