#pragma once

#include "kafka/errors.hpp"
#include "kafka/groups/group.hpp"
#include "kafka/messages/describe_groups.hpp"
#include "kafka/messages/groups.hpp"
#include "kafka/messages/offsets.hpp"
#include "types.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mini_broker::kafka {

/// The consumer groups that this node coordinates. They live in memory only: after a change of
/// coordinator the members join anew, as they do after any rebalance. Committed offsets are kept
/// elsewhere.
///
/// Knows neither clock nor connection: time comes with every call, and answers go where the caller
/// said. An answer may come before the call returns, and may call this again.
///
/// \par Thread safety
///     The loop's thread only.
class Coordinator {
public:
    /// \param fresh_id  gives what makes a member's id unique: hard to guess, never twice
    Coordinator(GroupOptions options, std::function<std::string()> fresh_id);
    Coordinator(const Coordinator&) = delete;
    Coordinator& operator=(const Coordinator&) = delete;

    /// Calls `done` once: when the rebalance ends that this begins or joins, or when it is refused.
    /// The request may be gone by then.
    void join(TimePoint now,
              int version,
              const JoinGroupRequest& request,
              GroupClient client,
              Joined done);
    /// Calls `done` once: when the leader of the group has brought the assignments.
    void sync(TimePoint now, const SyncGroupRequest& request, Synced done);
    [[nodiscard]] HeartbeatResponse heartbeat(TimePoint now, const HeartbeatRequest& request);
    /// Both forms of the request: one member, or a list.
    [[nodiscard]] LeaveGroupResponse leave(TimePoint now, const LeaveGroupRequest& request);
    /// What every partition of an OffsetCommit is to be answered with, or none.
    [[nodiscard]] Error may_commit(TimePoint now, const OffsetCommitRequest& request);
    /// To be called every 100 ms or so.
    void tick(TimePoint now);
    /// This node no longer coordinates: forgets every group, and tells who waits.
    void resign();

    /// A group that is not known is "Dead"; if there are offsets of it, it is "Empty" instead.
    [[nodiscard]] DescribeGroupsResponse::Group describe(const std::string& group) const;
    /// Those with members, or with members that are about to come.
    [[nodiscard]] std::vector<ListGroupsResponse::Group> list() const;

private:
    [[nodiscard]] Error admit(const JoinGroupRequest& request, const GroupClient& client);
    [[nodiscard]] bool claim(std::size_t bytes) noexcept;
    void forget_if_deserted(const std::string& group);
    void answer_due();

    GroupOptions options_;
    std::function<std::string()> fresh_id_;
    Group::Due due_;
    std::map<std::string, Group> groups_;
    std::size_t memory_ = 0; // of all groups; between two ticks too large rather than too small
};

} // namespace mini_broker::kafka
