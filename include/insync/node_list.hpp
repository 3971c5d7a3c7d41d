#pragma once

#include <insync/types.hpp>

#include <concepts>
#include <initializer_list>
#include <span>

namespace insync {

/// A list of node ids in any order, as an argument: `{1, 2, 3}`, a vector, an array or a span.
/// A view; valid while the caller's expression is.
class NodeList {
public:
    NodeList(std::initializer_list<NodeId> nodes) noexcept : nodes_(nodes.begin(), nodes.size()) {}
    template <class Range>
        requires std::convertible_to<const Range&, std::span<const NodeId>>
    NodeList(const Range& nodes) noexcept : nodes_(nodes) {}

    [[nodiscard]] std::span<const NodeId> nodes() const noexcept { return nodes_; }

private:
    std::span<const NodeId> nodes_;
};

} // namespace insync
