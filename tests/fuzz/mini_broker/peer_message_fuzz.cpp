// What another node may send: its hello, Raft's messages with the entries or the configuration that
// they carry, and commands that are passed on, with what came of them.

#include "cluster/node_messages.hpp"
#include "fuzz/mini_broker/checksums.hpp"
#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "net/hello.hpp"
#include "raft/configuration.hpp"
#include "raft/message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mini_broker;
using fuzz::Input;
using fuzz::require;

/// A message of bytes is a copy of them in a tree.
constexpr std::size_t kTreeGrowth = 160;

std::string encoded(const InboundMessage& inbound) {
    std::string payload;
    encode_message(inbound.message, inbound.snapshot, payload);
    for (const std::string_view batch : inbound.batches) payload += batch;
    return payload;
}

/// What libraft reads of a configuration is what the checks have seen in it.
void check_configuration(std::string_view configuration) {
    const auto voters =
        fuzz::bounded(configuration.size(), [&] { return voters_of(configuration); });
    if (!voters) return;
    raft_configuration decoded = decode_configuration(configuration);
    std::vector<NodeId> theirs;
    for (unsigned i = 0; i < decoded.n; ++i)
        if (decoded.servers[i].role == RAFT_VOTER)
            theirs.push_back(static_cast<NodeId>(decoded.servers[i].id));
    raft_configuration_close(&decoded);
    require(theirs == *voters, "libraft reads the same voters");
    require(voters_of(encode_configuration(*voters)) == voters, "voters are written and read");
}

void check_entries(const InboundMessage& inbound, std::string_view payload) {
    const raft_append_entries& append = inbound.message.append_entries;
    require(append.n_entries == inbound.batches.size() &&
                inbound.entries.size() == inbound.batches.size(),
            "each entry has its batch");
    Term term = append.prev_log_term;
    std::optional<Offset> next;
    for (std::size_t i = 0; i < inbound.batches.size(); ++i) {
        const std::string_view batch = inbound.batches[i];
        require(is_whole_batch(batch), "only whole batches are taken");
        const auto header = parse_header(batch);
        require(header->term >= term && header->term <= append.term, "terms rise to the sender's");
        require(!next || header->base_offset == *next, "offsets follow each other");
        require(inbound.entries[i].term == header->term, "libraft is told the batch's own term");
        if (kind_of(batch) == EntryKind::change) check_configuration(payload_of(batch));
        term = header->term;
        next = header->next_offset();
    }
    require(
        inbound.batches.empty() || inbound.batches.back().data() + inbound.batches.back().size() ==
                                       payload.data() + payload.size(),
        "entries are views of the message's end");
}

void check_raft(Input& input, bool repair) {
    const auto type = static_cast<std::uint8_t>(input.below(9));
    std::string payload{input.rest()};
    constexpr std::size_t kBeforeEntries = 44;
    if (repair && type == RAFT_APPEND_ENTRIES) fuzz::repair_batches(payload, kBeforeEntries);
    const auto inbound =
        fuzz::bounded(payload.size(), [&] { return decode_message(2, type, payload); });
    if (!inbound) return;
    require(inbound->message.type == type && inbound->message.server_id == 2,
            "type and sender are as they were told");
    const std::string again = encoded(*inbound);
    require(again.size() == payload.size(), "no byte of a message is ignored");
    const auto second = decode_message(2, type, again);
    require(second && encoded(*second) == again, "a message is read again as what it was");
    if (type == RAFT_APPEND_ENTRIES) check_entries(*inbound, payload);
    if (type == RAFT_INSTALL_SNAPSHOT) check_configuration(inbound->snapshot.configuration);
}

template <class Decode>
void check_node_message(std::string_view bytes, const Decode& decode) {
    const auto message = fuzz::bounded(bytes.size(), [&] { return decode(bytes); }, kTreeGrowth);
    if (!message) return;
    const std::string again = encode(*message);
    const auto second = decode(again);
    require(second && encode(*second) == again, "a message is read again as what it was");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    switch (input.below(6)) {
    case 0: check_raft(input, false); break;
    case 1: check_raft(input, true); break;
    case 2: check_node_message(input.rest(), decode_forwarded_command); break;
    case 3: check_node_message(input.rest(), decode_forwarded_result); break;
    case 4: check_configuration(input.rest()); break;
    default: {
        const std::string_view bytes = input.rest();
        const auto hello = decode_hello(bytes);
        require(!hello || encode(*hello) == bytes, "a hello has one form");
    }
    }
    return 0;
}
