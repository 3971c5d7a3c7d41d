#include "logger.hpp"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

namespace mini_broker {
namespace {

std::string_view name_of(LogLevel level) {
    switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
    }
    return "?";
}

std::string utc(std::int64_t wall_ms) {
    auto seconds = static_cast<std::time_t>(wall_ms / 1000);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), wall_ms % 1000);
}

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte < 0x20 || byte == 0x7f)
            safe += fmt::format("\\x{:02x}", byte);
        else
            safe += each;
    }
    return safe;
}

std::string dumped(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// One word, or quoted, so that no value passes for another field.
std::string as_text(const LogValue& value) {
    if (const auto* const number = std::get_if<std::int64_t>(&value))
        return fmt::format("{}", *number);
    const auto& text = std::get<std::string>(value);
    const bool one_word = !text.empty() && text.find_first_of(" =\"\\") == std::string::npos;
    return one_word ? text : dumped(text);
}

std::int64_t system_wall_ms() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

void write_to_stderr(std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace

Logger::Logger(LogFormat format, NodeId node, LogLevel least, Sink sink, Clock wall_ms)
    : format_(format),
      node_(node),
      least_(least),
      sink_(sink ? std::move(sink) : write_to_stderr),
      wall_ms_(wall_ms ? std::move(wall_ms) : system_wall_ms) {}

void Logger::log(LogLevel level,
                 const LogFields& fields,
                 fmt::string_view format,
                 fmt::format_args args) {
    if (level < least_) return;
    const std::int64_t now = wall_ms_();
    const std::lock_guard lock{mutex_};
    Site& site = sites_[{level, std::string{format.data(), format.size()}}];
    if (site.second != now / 1000) {
        site.second = now / 1000;
        site.lines = 0;
    }
    if (site.lines >= kPerSecond) {
        ++site.left_out;
        return;
    }
    ++site.lines;
    std::string message = fmt::vformat(format, args);
    if (const auto left_out = std::exchange(site.left_out, 0); left_out != 0)
        message += fmt::format(" ({} like this left out)", left_out);
    sink_(line(level, now, fields, std::move(message)));
}

std::string Logger::line(LogLevel level,
                         std::int64_t wall_ms,
                         const LogFields& fields,
                         std::string message) const {
    if (format_ == LogFormat::text) {
        for (const auto& [name, value] : fields)
            message += fmt::format(" {}={}", name, as_text(value));
        return fmt::format("{} {:5} node {} {}\n", utc(wall_ms), name_of(level), node_,
                           escaped(message));
    }
    nlohmann::ordered_json json{{"time", utc(wall_ms)},
                                {"level", name_of(level)},
                                {"node", node_},
                                {"message", std::move(message)}};
    for (const auto& [name, value] : fields)
        std::visit([&, &field = name](const auto& its) { json[std::string{field}] = its; }, value);
    return dumped(json) + '\n';
}

} // namespace mini_broker
