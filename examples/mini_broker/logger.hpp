#pragma once

#include "types.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mini_broker {

enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// What a line is about: `topic`, `partition`, `leader_epoch`, `replica`, `cause` and the like.
/// docs/operations.md lists the names; `time`, `level`, `node` and `message` are the logger's own.
using LogValue = std::variant<std::int64_t, std::string>;
using LogFields = std::vector<std::pair<std::string_view, LogValue>>;

/// One line an event, to standard error: UTC time, level, node, message, and what it is about, as
/// fields of their own in JSON and as `name=value` behind the message in text.
///
/// What one place in the code says is limited to `kPerSecond` lines a second, so that no client can
/// fill a disk; the next line from there tells how many were left out. A place is known by its
/// level and format string. Control characters are escaped, as messages may hold what clients sent.
///
/// \par Thread safety
///     Safe.
class Logger {
public:
    static constexpr std::uint32_t kPerSecond = 10;

    using Sink = std::function<void(std::string_view line)>;
    using Clock = std::function<std::int64_t()>; ///< milliseconds since 1970

    /// Without `sink` to standard error, without `wall_ms` by the system's clock.
    Logger(LogFormat format,
           NodeId node,
           LogLevel least = LogLevel::info,
           Sink sink = nullptr,
           Clock wall_ms = nullptr);

    template <class... Args>
    void debug(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::debug, {}, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void debug(const LogFields& fields, fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::debug, fields, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::info, {}, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void info(const LogFields& fields, fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::info, fields, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void warn(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::warn, {}, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void warn(const LogFields& fields, fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::warn, fields, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::error, {}, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void error(const LogFields& fields, fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::error, fields, format, fmt::make_format_args(args...));
    }

private:
    struct Site {
        std::int64_t second = 0;
        std::uint32_t lines = 0;
        std::uint64_t left_out = 0;
    };

    void log(LogLevel level,
             const LogFields& fields,
             fmt::string_view format,
             fmt::format_args args);
    [[nodiscard]] std::string line(LogLevel level,
                                   std::int64_t wall_ms,
                                   const LogFields& fields,
                                   std::string message) const;

    LogFormat format_;
    NodeId node_;
    LogLevel least_;
    Sink sink_;
    Clock wall_ms_;
    std::mutex mutex_; // guards what follows, and that lines stay whole
    std::map<std::pair<LogLevel, std::string>, Site> sites_;
};

} // namespace mini_broker
