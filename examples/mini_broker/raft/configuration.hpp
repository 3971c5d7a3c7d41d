#pragma once

#include "raft/raft_api.hpp"
#include "types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// libraft's encoding of a configuration with these voters: the same bytes on every node.
[[nodiscard]] std::string encode_configuration(const std::vector<NodeId>& voters);
/// The voters in such an encoding; nothing where it is malformed. libraft's own decoder trusts the
/// bytes, so none may reach it that did not pass here.
[[nodiscard]] std::optional<std::vector<NodeId>> voters_of(std::string_view configuration);
/// The same as libraft's object, which the caller owns. The bytes must have passed `voters_of`.
[[nodiscard]] raft_configuration decode_configuration(std::string_view configuration);

} // namespace mini_broker
