#pragma once

#include "types.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mini_broker {

enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// One line an event, to standard error: UTC time, level, node, message.
///
/// What one place in the code says is limited to `kPerSecond` lines a second, so that no client can
/// fill a disk; the next line from there tells how many were left out. A place is known by its
/// format string. Control characters are escaped, as messages may hold what clients sent.
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
        log(LogLevel::debug, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::info, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void warn(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::warn, format, fmt::make_format_args(args...));
    }
    template <class... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) {
        log(LogLevel::error, format, fmt::make_format_args(args...));
    }

private:
    struct Site {
        std::int64_t second = 0;
        std::uint32_t lines = 0;
        std::uint64_t left_out = 0;
    };

    void log(LogLevel level, fmt::string_view format, fmt::format_args args);
    [[nodiscard]] std::string line(LogLevel level, std::int64_t wall_ms, std::string message) const;

    LogFormat format_;
    NodeId node_;
    LogLevel least_;
    Sink sink_;
    Clock wall_ms_;
    std::mutex mutex_; // guards what follows, and that lines stay whole
    std::unordered_map<std::string, Site> sites_;
};

} // namespace mini_broker
