#pragma once

#include <insync/errors.hpp>
#include <insync/isr_store.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

namespace fuzz {

using insync::NodeId;
using insync::Result;
using Nodes = std::vector<NodeId>;

/// What is wrong with the arguments of one call, from the documentation alone. Where several things
/// are, any of them may be told.
class ArgumentFaults {
public:
    void add(bool wrong, Result fault) {
        if (wrong) faults_.insert(fault);
    }
    void topic(std::string_view name) {
        const auto legal = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '_' || c == '-';
        };
        add(name.empty() || name == "." || name == ".." || name.size() > insync::kMaxTopicLength ||
                !std::all_of(name.begin(), name.end(), legal),
            Result::invalid_topic);
    }
    void partition(std::int64_t number) {
        add(number < 0 || number > insync::kMaxPartition, Result::invalid_partition);
    }
    void nodes(const Nodes& nodes, Result if_empty) {
        const std::set<NodeId> different(nodes.begin(), nodes.end());
        add(nodes.empty(), if_empty);
        add(different.size() != nodes.size(), Result::duplicate_replica);
        add(nodes.size() > insync::kMaxReplicas, Result::too_many_replicas);
        add(!different.empty() && *different.begin() < 0, Result::invalid_node);
    }
    void published(const insync::PublishedIsr& isr, const std::set<NodeId>& replicas) {
        const Nodes members(isr.members.begin(), isr.members.end());
        const auto is = [](const auto& range) {
            return [&](NodeId node) {
                return std::find(range.begin(), range.end(), node) != range.end();
            };
        };
        nodes(members, Result::invalid_isr);
        add(isr.leader < insync::kNoNode, Result::invalid_node);
        add(isr.leader >= 0 && !is(members)(isr.leader), Result::invalid_isr);
        add(std::none_of(members.begin(), members.end(), is(replicas)), Result::invalid_isr);
        add(isr.epoch > insync::kMaxEpoch || isr.version > insync::kMaxVersion,
            Result::epoch_exhausted);
    }

    [[nodiscard]] bool none() const { return faults_.empty(); }
    /// Whether a call may come to `result`: to a fault if there is one, else to `otherwise`.
    [[nodiscard]] bool allow(Result result, Result otherwise) const {
        return none() ? result == otherwise : faults_.contains(result);
    }

private:
    std::set<Result> faults_;
};

} // namespace fuzz
