// A request as it comes from a client: its header, and the decoder of its API and version. What is
// read of it, written again, is read as the same, and reading allocates in proportion to it.

#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "kafka/header.hpp"
#include "mini_broker/kafka_messages.hpp"

#include <string>
#include <string_view>

namespace {

using namespace kafka_messages;
using fuzz::require;

template <class Message>
void check_body(std::string_view body, int version) {
    const auto message =
        fuzz::bounded(body.size(), [&] { return decoded<Message>(body, version); });
    if (!message) return;
    const std::string again = encoded(*message, version);
    const auto second = decoded<Message>(again, version);
    require(second && *second == *message, "what was read is read again");
    require(encoded(*second, version) == again, "and written the same");
    require(decoded<Message>(std::string(body) + '\x7f', version) == message,
            "what comes after a message is of no concern");
}

void check_header(const RequestHeader& header) {
    std::string again;
    append_header(header, again);
    const auto second = parse_header(again);
    require(second && second->api == header.api && second->api_version == header.api_version &&
                second->correlation_id == header.correlation_id &&
                second->client_id == header.client_id,
            "a header is read again");
    require(second->body.empty(), "and takes no byte of what follows");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view frame{reinterpret_cast<const char*>(data), size};
    const auto header = fuzz::bounded(size, [&] { return parse_header(frame); });
    if (!header || !header->accepted()) return 0;
    require(frame.ends_with(header->body), "the body is what follows the header");
    check_header(*header);
    for_each_api([&]<class Request, class Response>() {
        if (Request::kApi != header->api->key) return;
        check_body<Request>(header->body, header->api_version);
        check_body<Response>(header->body, header->api_version); // what tests and clients read
    });
    return 0;
}
