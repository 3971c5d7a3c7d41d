// A consensus adapter in forty lines, over a consensus that is nothing but the numbers a real one
// has. What your library cannot tell, insync::QueriesView shows how to make up for.
#include <insync/insync.hpp>
#include <insync/testing/manual_clock.hpp>

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace toy {

struct Peer {
    insync::Index match = 0;
    insync::Epoch confirmed_in = 0; ///< term of the last append that the peer accepted
    insync::TimePoint asked{};      ///< when the last request left that it answered
};
struct RaftGroup {
    std::mutex mutex;
    insync::Epoch term = 0;
    insync::NodeId leader = insync::kNoNode;
    insync::Index last = 0;
    insync::Index flushed = 0;
    insync::Index committed = 0;
    std::map<insync::NodeId, Peer> peers; ///< all but this node
};
using Node = std::map<std::pair<std::string, insync::PartitionId>, RaftGroup>;

} // namespace toy

// The adapter --------------------------------------------------------------------------------

class ToyView {
public:
    using Group = toy::RaftGroup*; // cheap to copy, and no name to look up at every sweep
    // Contacts tell when a request left that was answered: a true lower bound, so no slack.
    static constexpr auto contact_source = insync::ContactSource::request;

    ToyView(insync::NodeId self, toy::Node& node) : self_(self), node_(node) {}

    Group find_group(insync::TopicPartition partition, std::span<const insync::NodeId>) {
        return &node_[{std::string{partition.topic}, partition.partition}];
    }

    insync::ReadResult read(const Group& group, insync::GroupState& state) noexcept {
        // One lock, one instant. Where a library has none: epoch and leader before and after.
        // Waiting for it delays the sweep alone: readers never read the view.
        const std::lock_guard lock{group->mutex};
        state.epoch = group->term;
        state.leader = group->leader;
        state.leading = group->leader == self_;
        state.end = group->last; // the end of the log, not what is committed or applied
        state.durable = group->flushed;
        state.commit = group->committed;
        if (!state.leading) return insync::ReadResult::ok; // followers of others say nothing
        for (const auto& [id, peer] : group->peers) {
            insync::FollowerRow row{.node = id};
            row.verified = peer.confirmed_in == group->term; // else its match is a leftover
            row.match = row.verified ? peer.match : 0;
            row.contact = row.verified ? peer.asked : insync::kNever;
            state.followers.push_back(row);
        }
        return insync::ReadResult::ok;
    }

    [[nodiscard]] insync::Millis contact_slack() const noexcept { return 0ms; }

private:
    insync::NodeId self_;
    toy::Node& node_;
};
static_assert(insync::ConsensusView<ToyView>);

// And its use --------------------------------------------------------------------------------

int main() {
    insync::testing::ManualClock clock;
    toy::Node node;
    toy::RaftGroup& group = node[{"orders", 0}];
    group.term = 3;
    group.leader = 1;
    group.last = group.flushed = group.committed = 1000;
    group.peers[2] = {1000, 3, clock.now()};
    group.peers[3] = {1000, 2, clock.now()}; // has not answered in term 3

    ToyView view{1, node};
    insync::IsrManager isr{1, view, insync::IsrConfig{}, clock};
    if (isr.initialize_isr("orders", 0, {1, 2, 3}) != insync::Result::ok) return 1;
    fmt::print("ISR: {}\n", *isr.get_isr("orders", 0));
    fmt::print("{}\n", *isr.explain("orders", 0, 3));

    for (int second = 0; second < 11; ++second) {
        clock.advance(1s);
        group.peers[2].asked = clock.now();
        isr.tick();
    }
    fmt::print("ISR: {}\n", *isr.get_isr("orders", 0));
    fmt::print("{}\n", *isr.explain("orders", 0, 3));
    const auto out = isr.get_isr("orders", 0)->to_vec() == std::vector<insync::NodeId>{1, 2};

    group.peers[3] = {1000, 3, clock.now()}; // here it is again
    if (isr.update_isr("orders", 0) != insync::Result::ok) return 1;
    fmt::print("ISR: {}\n", *isr.get_isr("orders", 0));
    const auto in = isr.get_isr("orders", 0)->to_vec() == std::vector<insync::NodeId>{1, 2, 3};
    return out && in ? 0 : 1;
}
