// The log of the metadata: bytes that may be commands, commands that may be refused, and the image
// that they add up to, on two nodes.

#include "cluster/command.hpp"
#include "fuzz/mini_broker/image_state.hpp"
#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mini_broker;
using fuzz::Input;
using fuzz::require;

// A tree in memory for bytes that are as short as CBOR has them; see README.md.
constexpr std::size_t kTreeGrowth = 160;

class Drawn {
public:
    explicit Drawn(Input& input) : input_(input) {}

    Command command() {
        switch (input_.below(8)) {
        case 0: return RegisterBroker{node(), text(), input_.number<std::uint16_t>(), text()};
        case 1: return CreateTopic{name(), id(), {{text(), text()}}, placed()};
        case 2: return DeleteTopic{name(), id()};
        case 3: return AddPartitions{name(), id(), input_.below(6), placed()};
        case 4: return SetConfigs{name(), id(), id(), changes(), input_.flag()};
        case 5: return published();
        case 6:
            if (input_.flag()) return SetDeadNodes{{node(), node()}};
            return ReserveProducerIds{input_.number<std::int32_t>()};
        default: return offsets();
        }
    }

private:
    std::string text() {
        return std::string(input_.below(4), static_cast<char>('a' + input_.below(3)));
    }
    std::string name() {
        static const std::string kNames[] = {"t", "u", "v", "", "a/b", std::string(250, 'x')};
        return input_.one_of(kNames);
    }
    Uuid id() { return Uuid{static_cast<std::uint8_t>(input_.below(5))}; }
    NodeId node() {
        static constexpr NodeId kNodes[] = {1, 2, 3, 0, -1, 1LL << 40, INT64_MIN};
        return input_.one_of(kNodes);
    }
    std::vector<std::vector<NodeId>> placed() {
        std::vector<std::vector<NodeId>> partitions(input_.below(4));
        for (auto& replicas : partitions) {
            replicas.resize(input_.below(4));
            for (NodeId& each : replicas) each = node();
            if (input_.flag()) replicas = {1, 2, 3};
        }
        return partitions;
    }
    std::map<std::string, std::optional<std::string>> changes() {
        std::map<std::string, std::optional<std::string>> drawn;
        for (std::uint64_t i = input_.below(3); i > 0; --i)
            drawn[text()] = input_.flag() ? std::optional{text()} : std::nullopt;
        return drawn;
    }
    PublishIsr published() {
        PublishIsr command;
        command.sets.resize(input_.below(3));
        for (PublishIsr::One& one : command.sets) {
            one.topic = id();
            one.partition = static_cast<std::int32_t>(input_.below(4)) - 1;
            one.isr = {node(), input_.below(4), input_.below(4), {}};
            one.isr.members.assign(input_.below(insync::kMaxReplicas + 1), node());
        }
        return command;
    }
    CommitOffsets offsets() {
        CommitOffsets command{text(), {}};
        command.offsets.resize(input_.below(3));
        for (CommitOffsets::One& one : command.offsets)
            one = {name(), static_cast<std::int32_t>(input_.below(4)) - 1,
                   input_.number<std::int64_t>(), input_.number<std::int32_t>(), text()};
        return command;
    }

    Input& input_;
};

/// The next entry of the log: any bytes, or those of a command.
std::string next_entry(Input& input) {
    if (input.below(4) == 0) return std::string{input.bytes(input.number<std::uint16_t>())};
    return encode(Drawn{input}.command());
}

std::optional<Command> read(std::string_view bytes) {
    auto command = fuzz::bounded(bytes.size(), [&] { return decode_command(bytes); }, kTreeGrowth);
    if (!command) return command;
    const std::string again = encode(*command);
    const auto second = decode_command(again);
    require(second && encode(*second) == again, "a command is read again as what it was");
    return command;
}

void check_change(const Image::Change& change, const Image& image) {
    if (change.kind == Image::Change::Kind::topic_deleted) {
        require(image.topic(change.topic.id) == nullptr, "what is told as deleted is gone");
        for (const Image::Partition& partition : change.topic.partitions)
            require(image.was_deleted(partition.group), "and so are its groups");
    } else if (change.kind == Image::Change::Kind::partitions_added) {
        require(change.first < image.topic(change.topic.id)->partitions.size(),
                "what is told as added is there");
    }
}

void apply(Image& image, const Command& command) {
    const std::string before = fuzz::in_words(image);
    const Image::Applied applied = image.apply(command);
    fuzz::check_image(image);
    const std::string after = fuzz::in_words(image);
    if (applied.result.error != kafka::Error::none)
        require(after == before && applied.changes.empty(), "what is refused changes nothing");
    if (after != before && !std::holds_alternative<CommitOffsets>(command))
        require(!applied.changes.empty(), "who acts on the image is told of its changes");
    for (const Image::Change& change : applied.changes) check_change(change, image);
    if (std::holds_alternative<ReserveProducerIds>(command)) return;
    (void)image.apply(command);
    require(fuzz::in_words(image) == after, "a command that is sent again does nothing more");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    Image image;
    std::vector<Command> log;
    while (!input.empty() && log.size() < 100) {
        const auto command = read(next_entry(input));
        if (!command) continue;
        log.push_back(*command);
        apply(image, *command);
    }
    Image other; // a node that restarts, and is sent nothing twice
    for (const Command& command : log) (void)other.apply(command);
    require(fuzz::in_words(other) == fuzz::in_words(image), "every node has the same image");
    return 0;
}
