#pragma once

#include "cluster/topic_rules.hpp"
#include "kafka/handlers/context.hpp"
#include "types.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

/// Who is named as controller: any node that is alive takes every command.
[[nodiscard]] NodeId controller_node(const Context& context);

/// A topic's or a request's id, never used before.
[[nodiscard]] Uuid make_uuid(const Context& context);

/// Nodes that have told where clients find them, ascending: the ones that replicas are placed on.
[[nodiscard]] std::vector<NodeId> registered_nodes(const Context& context);

/// How many partitions more the cluster may get from clients.
[[nodiscard]] std::size_t room_for_partitions(const Context& context);

/// What a topic has that says nothing of a configuration.
[[nodiscard]] std::string default_config(const Context& context, const ConfigRule& rule);

/// The command that makes a legal topic, with replicas placed in turn.
/// \pre 1 <= replication_factor <= registered_nodes().size()
[[nodiscard]] CreateTopic make_topic(const Context& context,
                                     std::string name,
                                     std::size_t partitions,
                                     std::size_t replication_factor,
                                     std::map<std::string, std::string> configs);

/// Makes a topic with the defaults, in the background; the client asks again until it is there.
void auto_create(Context& context, const std::string& name);

} // namespace mini_broker::kafka
