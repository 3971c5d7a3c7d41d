#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mini_broker {

/// Why a connection has ended.
enum class Ending : std::uint8_t {
    client,             ///< it was closed by the other side, or lost
    handler,            ///< the handler wanted it, as it does after what is no request
    too_many,           ///< refused: there were as many as may be
    too_many_of_host,   ///< refused: there were as many as one address may have
    too_much_memory,    ///< it held the most when all connections together held too much
    bad_length,         ///< no request is of such a length
    no_request,         ///< nothing came that was a request
    unfinished_request, ///< a request began, and did not end
    unread_answers,     ///< answers were not taken in
    idle,
};

/// A label for metrics, and for people.
[[nodiscard]] constexpr std::string_view to_string(Ending ending) noexcept {
    constexpr std::array<std::string_view, 10> kNames{
        "client",     "handler",    "too_many",           "too_many_of_host", "too_much_memory",
        "bad_length", "no_request", "unfinished_request", "unread_answers",   "idle"};
    return kNames[static_cast<std::size_t>(ending)];
}

} // namespace mini_broker
