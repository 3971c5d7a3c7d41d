#pragma once

#include "kafka/api.hpp"
#include "kafka/codec.hpp"
#include "kafka/wire.hpp"

// The bodies of `decode` and `encode`, for messages/*.cpp alone.

namespace mini_broker::kafka {

template <class Message>
bool decode(std::string_view body, int version, Message& into) {
    into = Message{};
    Reader reader(body, version, api(Message::kApi).flexible(version));
    reader.structure(into);
    return reader.ok();
}

template <class Message>
void encode(const Message& message, int version, std::string& out) {
    Writer(out, version, api(Message::kApi).flexible(version)).structure(message);
}

} // namespace mini_broker::kafka

#define MINI_BROKER_KAFKA_CODEC(Message)                   \
    template bool decode(std::string_view, int, Message&); \
    template void encode(const Message&, int, std::string&)
