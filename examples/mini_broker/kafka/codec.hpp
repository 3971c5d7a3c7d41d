#pragma once

#include <string>
#include <string_view>

namespace mini_broker::kafka {

// Both are instantiated for every message in messages/*.cpp, so that who handles messages compiles
// none of this.

/// Reads the body of a message, header excluded. Fields that the version has not keep their
/// defaults; bytes after the last field are ignored, as Kafka does.
/// \param version  one that `Api::accepts`
/// \return false for bytes that are no such message; then `into` is of no use
template <class Message>
[[nodiscard]] bool decode(std::string_view body, int version, Message& into);

/// Appends the body of a message. Fields that the version has not are left out.
template <class Message>
void encode(const Message& message, int version, std::string& out);

} // namespace mini_broker::kafka
