#pragma once

#include "hosts/raft_host.h"

#include <insync/adapters/raft_c.hpp>
#include <insync/testing/byte_tape.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hosts {

using insync::Epoch;
using insync::Index;
using insync::kNoNode;
using insync::Millis;
using insync::NodeId;
using insync::TimePoint;

/// When a cluster begins.
inline constexpr TimePoint kStart{Millis{1'000'000}};

/// The library did what it never must, so that nothing can be said of insync.
struct BrokenLibrary : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct ClusterOptions {
    std::size_t voters = 3; ///< the first ones; the nodes are 1 to `voters + spares`
    std::size_t spares = 0; ///< nodes with an empty disk, no members yet
    bool check_quorum = true;
    bool pre_vote = true;
    bool async_persistence = false;
    Millis tick{10};
    std::uint32_t election_ticks = 10;
    std::uint32_t heartbeat_ticks = 2;
    Millis least_delay{1}; ///< of a message
    Millis most_delay{4};
    std::uint64_t seed = 1;
    // Mistakes of a host, for tests that want to see them found.
    bool notes_everything = false; ///< every message is taken for a contact, votes too
    bool never_forgets = false;    ///< a removed member's contacts stay
};

/// What a node says of its group at one moment.
struct Shown {
    insync_raft_state state{};
    std::vector<insync_raft_peer> peers; ///< the others, and perhaps itself

    [[nodiscard]] bool leads() const { return state.role == INSYNC_RAFT_LEADER; }
    [[nodiscard]] bool has(NodeId node) const {
        return std::any_of(peers.begin(), peers.end(), [&](const insync_raft_peer& peer) {
            return peer.id == static_cast<std::uint64_t>(node);
        });
    }
};

/// One node: its process, its disk, and what its broker keeps beside the library.
struct Node {
    raft_host_node raft = 0;
    insync::RaftContacts contacts;
    bool up = true;
    bool paused = false;
    bool disk_held = false;
    bool member = true;        ///< spares, and those that were removed and wiped, are none
    unsigned life = 0;         ///< how often it lost its whole disk
    Millis disk_delay{0};      ///< from a write to its end, with asynchronous persistence
    TimePoint disk_free{};     ///< when the last write ends
    std::uint64_t queued = 0;  ///< the newest write that has been seen
    std::uint64_t process = 0; ///< counts starts, so that what was meant for an older one is void
    std::vector<NodeId> neighbours;          ///< the members that the library last had rows for
    std::map<NodeId, unsigned> met;          ///< in which life those were that spoke to it
    std::vector<std::function<void()>> held; ///< what happens to it once it is no longer paused
};

/// A message under way.
struct Mail {
    NodeId from = kNoNode;
    NodeId to = kNoNode;
    unsigned from_life = 0;
    unsigned to_life = 0;
    raft_host_message about{};
    std::vector<std::uint8_t> bytes;
};

/// Nodes of one group of a real consensus library, on links, disks and a time that a test holds.
///
/// A member that is added again with an empty disk lives a new *life*. Mail is addressed to a life,
/// and one of a former self, or to it, is dropped: as a broker does that closes the connections of
/// what was removed. Both libraries need that, and tell nobody.
class RaftCluster {
public:
    RaftCluster(const raft_host& library, const ClusterOptions& options);
    RaftCluster(const RaftCluster&) = delete;
    RaftCluster& operator=(const RaftCluster&) = delete;
    ~RaftCluster();

    [[nodiscard]] const raft_host& library() const noexcept { return library_; }
    [[nodiscard]] const ClusterOptions& options() const noexcept { return options_; }
    [[nodiscard]] const std::vector<NodeId>& ids() const noexcept { return ids_; }
    [[nodiscard]] Node& node(NodeId id) { return *nodes_[static_cast<std::size_t>(id) - 1]; }
    [[nodiscard]] const Node& node(NodeId id) const {
        return *nodes_[static_cast<std::size_t>(id) - 1];
    }
    [[nodiscard]] const insync::testing::ManualClock& clock() const noexcept { return clock_; }
    [[nodiscard]] TimePoint now() const noexcept { return clock_.now(); }

    /// Lets all happen that is due until then.
    void run_until(TimePoint end);
    /// Lets something happen later, whatever becomes of the nodes.
    void at(TimePoint when, std::function<void()> what) {
        agenda_.emplace(std::pair{when, ++sequence_}, std::move(what));
    }
    /// Called after whatever has happened to a node's library.
    std::function<void(NodeId)> on_step;
    /// Called when a leader has taken in an answer.
    std::function<void(NodeId, const Mail&)> on_answer;
    /// Called when a message was not delivered as it is of another life, or to one.
    std::function<void(const Mail&)> on_former_self;

    // The library
    [[nodiscard]] Shown show(NodeId id) const;
    int campaign(NodeId id) { return call(id, library_.campaign(node(id).raft)); }
    int transfer(NodeId id, NodeId to) {
        return call(id, library_.transfer(node(id).raft, static_cast<std::uint64_t>(to)));
    }
    /// \return the entry's index, 0 if it was refused
    Index propose(NodeId id, const std::string& data);
    /// \return where the change stands in the log, 0 if it was refused or replaced
    Index change(NodeId id, const std::vector<raft_host_change>& steps, std::uint32_t how);
    int compact(NodeId id, Index index) { return call(id, library_.compact(node(id).raft, index)); }

    // Faults
    void cut(NodeId from, NodeId to, bool is_cut) { link(from, to).cut = is_cut; }
    /// Takes a node off the network; what is on the way is lost.
    void isolate(NodeId id);
    void heal_links();
    void slow(NodeId from, NodeId to, Millis more) { link(from, to).more = more; }
    void set_late(unsigned percent, Millis most) {
        late_percent_ = percent;
        late_most_ = most;
    }
    void set_doubled(unsigned percent) { doubled_percent_ = percent; }
    /// Until the links are healed, heartbeats reach the node and appends do not.
    void lose_appends(NodeId to) { loses_appends_.insert(to); }
    /// What the node sends is under way until it is delivered, whatever becomes of the node.
    void hold_mail(NodeId from) { held_mail_[from]; }
    void deliver_mail(NodeId from);
    /// What the node writes does not reach its disk until that is released.
    void hold_disk(NodeId id) { node(id).disk_held = true; }
    void release_disk(NodeId id) {
        node(id).disk_held = false;
        collect_writes(id);
    }
    void pause(NodeId id) { node(id).paused = node(id).up; }
    void resume(NodeId id);
    void crash(NodeId id);
    void restart(NodeId id);
    /// The disk of a node that is down and no member any more is replaced: it lives anew.
    void wipe(NodeId id);

    /// In which of its lives a node addresses another one, by what it has applied.
    [[nodiscard]] unsigned life_known(NodeId by, NodeId of) const;
    /// The entry at `index` adds a node, in its newest life.
    void note_added(NodeId id, Index index) { added_[id][node(id).life] = index; }

private:
    struct Link {
        bool cut = false;
        Millis more{0};
        std::uint64_t generation = 0; ///< raised to lose what is on the way
    };
    [[nodiscard]] Link& link(NodeId from, NodeId to) { return links_[{from, to}]; }
    void on(NodeId id, TimePoint when, std::function<void()> what);
    int call(NodeId id, int result);
    static bool answers(const raft_host_message& about);
    void collect_mail(NodeId id);
    void collect_writes(NodeId id);
    void watch_members(NodeId id);
    void send(Mail mail);
    void deliver(const Mail& mail);
    void lose(const Mail& mail);
    void report_snapshot(const Mail& mail, bool delivered);
    void note_answer(NodeId id, const Mail& mail);
    void tick(NodeId id);

    const raft_host& library_;
    ClusterOptions options_;
    insync::testing::ManualClock clock_{kStart};
    insync::testing::SeededNumbers numbers_;
    std::vector<NodeId> ids_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::map<std::pair<NodeId, NodeId>, Link> links_;
    std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> agenda_;
    std::map<NodeId, std::map<unsigned, Index>> added_; ///< where each later life was added
    std::set<NodeId> loses_appends_;
    std::map<NodeId, std::vector<Mail>> held_mail_;
    std::uint64_t sequence_ = 0;
    unsigned late_percent_ = 0;
    Millis late_most_{0};
    unsigned doubled_percent_ = 0;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(std::size_t{64} << 10);
};

} // namespace hosts

#include "hosts/raft_cluster.ipp" // IWYU pragma: keep
