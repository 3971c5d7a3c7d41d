#include "kafka/handlers/topic_defaults.hpp"

#include <algorithm>
#include <string>

namespace mini_broker::kafka {

NodeId controller_node(const Context& context) {
    const NodeId leader = context.controller.group().leader();
    return leader != insync::kNoNode && context.nodes.alive(leader) ? leader : context.nodes.self();
}

Uuid make_uuid(const Context& context) {
    Uuid id{};
    for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(context.random());
    // Version 4, variant 1 (RFC 9562), which also keeps it from being all zeros.
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
    return id;
}

std::vector<NodeId> registered_nodes(const Context& context) {
    std::vector<NodeId> nodes;
    for (const auto& [node, broker] : context.image().brokers()) nodes.push_back(node);
    return nodes;
}

std::size_t room_for_partitions(const Context& context) {
    const std::size_t most = context.options.max_partitions;
    const std::size_t taken =
        context.image().partition_count() + context.controller.partitions_underway();
    return most - std::min(most, taken);
}

std::string default_config(const Context& context, const ConfigRule& rule) {
    if (rule.key == ConfigKey::min_insync_replicas)
        return std::to_string(context.replicas.isr().config().min_insync_replicas);
    return std::string{rule.default_value};
}

CreateTopic make_topic(const Context& context,
                       std::string name,
                       std::size_t partitions,
                       std::size_t replication_factor,
                       std::map<std::string, std::string> configs) {
    const std::vector<NodeId> nodes = registered_nodes(context);
    return {
        std::move(name), make_uuid(context), std::move(configs),
        place_replicas(nodes, context.image().topics_created(), 0, partitions, replication_factor)};
}

void auto_create(Context& context, const std::string& name) {
    const std::size_t nodes = registered_nodes(context).size();
    const auto partitions = static_cast<std::size_t>(context.options.default_partitions);
    if (nodes == 0 || context.controller.busy()) return;
    // Refused before it is proposed: who asks again and again must not fill the metadata log.
    if (partitions > room_for_partitions(context)) {
        context.logger.warn({{"topic", name}, {"cause", "too many partitions"}},
                            "topic {} is not created: there are {} partitions already, and "
                            "--max-partitions allows no more",
                            name, context.image().partition_count());
        return;
    }
    const auto factor =
        std::min(nodes, static_cast<std::size_t>(context.options.default_replication_factor));
    CreateTopic command = make_topic(context, name, partitions, factor, {});
    context.controller.submit(
        std::move(command), Millis{5000}, [&context, name](const CommandResult& result) {
            if (result.error == Error::none)
                context.logger.info({{"topic", name}, {"cause", "a client asked for it"}},
                                    "topic {} was created", name);
        });
}

} // namespace mini_broker::kafka
