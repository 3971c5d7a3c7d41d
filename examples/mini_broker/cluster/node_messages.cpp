#include "cluster/node_messages.hpp"

#include "cluster/cbor.hpp"

#include <boost/endian/conversion.hpp>

#include <limits>

namespace mini_broker {

using nlohmann::json;

namespace {

std::string to_bytes(const json& message) {
    std::string bytes;
    json::to_cbor(message, bytes);
    return bytes;
}

/// What `read` makes of the bytes; nothing where they are not what it expects.
template <class Read>
auto from_bytes(std::string_view bytes, const Read& read)
    -> std::optional<decltype(read(std::declval<json>()))> {
    try {
        const auto parsed = parse_cbor(bytes);
        if (!parsed) return std::nullopt;
        return read(*parsed);
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

void append(std::string& to, std::uint32_t number) {
    const std::uint32_t big = boost::endian::native_to_big(number);
    to.append(reinterpret_cast<const char*>(&big), sizeof big);
}

} // namespace

std::string encode(const ForwardedCommand& message) {
    const json::binary_t command{{message.command.begin(), message.command.end()}};
    return to_bytes(json::array({message.request, command}));
}

std::string encode(const ForwardedResult& message) {
    const CommandResult& result = message.result;
    return to_bytes(
        json::array({message.request, message.index, static_cast<std::int16_t>(result.error),
                     result.message, result.value}));
}

std::optional<ForwardedCommand> decode_forwarded_command(std::string_view bytes) {
    return from_bytes(bytes, [](const json& parsed) {
        const auto& command = parsed.at(1).get_binary();
        return ForwardedCommand{parsed.at(0).get<std::uint64_t>(),
                                std::string{command.begin(), command.end()}};
    });
}

std::optional<ForwardedResult> decode_forwarded_result(std::string_view bytes) {
    return from_bytes(bytes, [](const json& parsed) {
        const auto error = static_cast<kafka::Error>(parsed.at(2).get<std::int16_t>());
        return ForwardedResult{
            parsed.at(0).get<std::uint64_t>(),
            parsed.at(1).get<Index>(),
            {error, parsed.at(3).get<std::string>(), parsed.at(4).get<std::int64_t>()}};
    });
}

bool send(Peers& peers, NodeId to, NodeMessage type, std::string_view payload) {
    constexpr std::size_t kHead = 5; // group and type
    std::string* const box = peers.outbox(to);
    if (box == nullptr || payload.size() > std::numeric_limits<std::uint32_t>::max() - kHead)
        return false;
    append(*box, static_cast<std::uint32_t>(kHead + payload.size()));
    append(*box, kMetadataGroup);
    box->push_back(static_cast<char>(type));
    box->append(payload);
    return true;
}

} // namespace mini_broker
