#include "cluster/command.hpp"

#include "cluster/cbor.hpp"

#include <algorithm>

namespace nlohmann {

template <class T>
struct adl_serializer<std::optional<T>> {
    static void to_json(json& j, const std::optional<T>& value) {
        j = value ? json(*value) : json(nullptr);
    }
    static void from_json(const json& j, std::optional<T>& value) {
        value = j.is_null() ? std::optional<T>{} : std::optional<T>{j.get<T>()};
    }
};

template <>
struct adl_serializer<insync::PublishedIsr> {
    static void to_json(json& j, const insync::PublishedIsr& isr) {
        const std::vector<insync::NodeId> members(isr.members.begin(), isr.members.end());
        j = json::array({isr.leader, isr.epoch, isr.version, members});
    }
    static void from_json(const json& j, insync::PublishedIsr& isr) {
        isr.leader = j.at(0).get<insync::NodeId>();
        isr.epoch = j.at(1).get<insync::Epoch>();
        isr.version = j.at(2).get<insync::Version>();
        const json& members = j.at(3);
        if (members.size() > insync::kMaxReplicas)
            throw json::other_error::create(501, "too many members", nullptr);
        for (const json& node : members) isr.members.push_back(node.get<insync::NodeId>());
    }
};

} // namespace nlohmann

namespace mini_broker {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RegisterBroker, node, host, port, rack)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CreateTopic, name, id, configs, replicas)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeleteTopic, name, id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AddPartitions, name, topic, first, replicas)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SetConfigs, name, topic, request, changes, replace)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PublishIsr::One, topic, partition, isr)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PublishIsr, sets)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ReserveProducerIds, count)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CommitOffsets::One, topic, partition, offset, epoch, metadata)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CommitOffsets, group, offsets)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SetDeadNodes, nodes)

namespace {

using nlohmann::json;

/// The alternative with this number, read from `body`.
template <std::size_t I = 0>
std::optional<Command> read_alternative(std::size_t number, const json& body) {
    if constexpr (I == std::variant_size_v<Command>) {
        return std::nullopt;
    } else {
        if (number != I) return read_alternative<I + 1>(number, body);
        return Command{std::in_place_index<I>, body.get<std::variant_alternative_t<I, Command>>()};
    }
}

} // namespace

std::string encode(const Command& command) {
    const json body = std::visit([](const auto& one) { return json(one); }, command);
    std::string bytes;
    json::to_cbor(json::array({command.index(), body}), bytes);
    return bytes;
}

std::optional<Command> decode_command(std::string_view bytes) {
    try {
        const auto parsed = parse_cbor(bytes);
        if (!parsed) return std::nullopt;
        return read_alternative(parsed->at(0).get<std::size_t>(), parsed->at(1));
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

} // namespace mini_broker
