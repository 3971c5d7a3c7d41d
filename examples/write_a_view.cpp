// From a library to a view that is known to be right: docs/write_a_view.md tells the story. The
// library is toy_raft.hpp and the view that passes toy_view.hpp; put yours in their place.
#include "toy_raft.hpp"
#include "toy_view.hpp"

#include <insync/consensus_view.hpp>
#include <insync/testing/conformance.hpp>
#include <insync/types.hpp>

#include <fmt/format.h>

#include <map>
#include <memory>
#include <span>
#include <string_view>

// A first draft -------------------------------------------------------------------------------

class FirstDraft {
public:
    using Group = toy::Node*;
    static constexpr auto contact_source = insync::ContactSource::response;

    explicit FirstDraft(toy::Node& node) : node_(node) {}

    Group find_group(insync::TopicPartition, std::span<const insync::NodeId>) { return &node_; }

    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        state.epoch = group->term();
        state.leader = group->leader();
        state.leading = group->leading();
        state.end = state.durable = group->last_index();
        state.commit = group->commit_index();
        for (const toy::Peer& peer : group->peers())
            state.followers.push_back({.node = peer.id,
                                       .kind = peer.kind,
                                       .verified = true,
                                       .match = peer.match,
                                       .contact = peer.answered});
        return insync::ReadResult::ok;
    }

    [[nodiscard]] insync::Millis contact_slack() const noexcept { return toy::Rig::round_trip(); }

private:
    toy::Node& node_;
};

// The cluster that the kit drives -------------------------------------------------------------

template <class V>
class Cluster : public toy::Rig {
public:
    using View = V;

    Cluster() {
        for (const insync::NodeId id : nodes()) make_view(id);
    }
    View& view(insync::NodeId id) { return *views_.at(id); }
    void start(insync::NodeId id) {
        toy::Rig::start(id);
        make_view(id); // a process that starts again has a new view
    }
    void add(insync::NodeId id) {
        toy::Rig::add(id);
        make_view(id);
    }
    [[nodiscard]] std::string_view cannot(insync::testing::ClusterAbility) const {
        return ""; // this one can do it all
    }

private:
    void make_view(insync::NodeId id) { views_[id] = std::make_unique<View>(node(id)); }

    std::map<insync::NodeId, std::unique_ptr<View>> views_;
};
static_assert(insync::testing::ConformanceCluster<Cluster<FirstDraft>>);

// The verdict ---------------------------------------------------------------------------------

template <class View>
bool passes() {
    const auto results = insync::testing::check_conformance([] { return Cluster<View>{}; });
    for (const auto& result : results) fmt::print("{}\n", result);
    return insync::testing::conforms(results);
}

int main() {
    fmt::print("FirstDraft:\n");
    if (passes<FirstDraft>()) return 1;
    fmt::print("\nToyView:\n");
    return passes<ToyView>() ? 0 : 1;
}
