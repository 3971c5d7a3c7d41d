#pragma once

#include "kafka/errors.hpp"
#include "kafka/messages/describe_groups.hpp"
#include "kafka/messages/groups.hpp"
#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker::kafka {

struct GroupOptions {
    /// How long a group that nobody was in waits for more members before it hands out partitions.
    Millis initial_rebalance_delay{200};
    Millis session_timeout_min{6'000};
    Millis session_timeout_max{1'800'000};
    std::size_t groups_max = 10'000;
    std::size_t members_max = 1'000;           ///< of one group
    std::size_t protocols_max = 20;            ///< of one member
    std::size_t member_bytes_max = 256u << 10; ///< of the metadata of one member
    std::size_t memory_max = 64u << 20;        ///< bytes, about, of all groups together
};

/// Who sent a request, as DescribeGroups tells.
struct GroupClient {
    std::string id;
    std::string host;
};

using Joined = std::function<void(const JoinGroupResponse&)>;
using Synced = std::function<void(const SyncGroupResponse&)>;

/// One consumer group: who is in it, which generation it is at, and who waits for what.
///
///     empty --join--> preparing --all have joined, or time is up--> completing --leader syncs-->
///     stable --somebody comes, goes or wants something else--> preparing
///
/// Its clients decide who reads what: one of them, the leader, gets everybody's metadata with its
/// JoinGroup answer, and brings back the assignments with SyncGroup.
class Group {
public:
    /// Answers that are due: to be called when the group is at rest again, as they may lead to the
    /// next request at once.
    using Due = std::vector<std::function<void()>>;

    struct Join {
        TimePoint now{};
        int version = 0;
        const JoinGroupRequest& request;
        GroupClient client;
        std::string fresh_id; ///< for a member that has none yet
        Joined done;
    };

    Group(std::string id, const GroupOptions& options, Due& due);

    void join(Join join);
    void sync(TimePoint now, const SyncGroupRequest& request, Synced done);
    [[nodiscard]] Error heartbeat(TimePoint now, const HeartbeatRequest& request);
    [[nodiscard]] Error leave(TimePoint now,
                              const std::string& member,
                              const std::optional<std::string>& instance);
    /// Whether a member may commit offsets now. It counts as a heartbeat.
    [[nodiscard]] Error may_commit(TimePoint now,
                                   std::int32_t generation,
                                   const std::string& member,
                                   const std::optional<std::string>& instance);
    /// Lets go of who was silent for too long, and ends waits whose time is up.
    void tick(TimePoint now);
    /// Ends every wait with an error.
    void end(Error error);

    /// Bytes, about: what its members said, and what they were given.
    [[nodiscard]] std::size_t memory() const noexcept;
    /// Nobody is in it, and nobody was told to come back.
    [[nodiscard]] bool deserted() const noexcept { return members_.empty() && pending_.empty(); }
    [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
    [[nodiscard]] std::string_view state_name() const noexcept;
    [[nodiscard]] const std::string& protocol_type() const noexcept { return protocol_type_; }
    [[nodiscard]] DescribeGroupsResponse::Group describe() const;

private:
    enum class State : std::uint8_t { empty, preparing, completing, stable };
    using Protocols = std::vector<JoinGroupRequest::Protocol>;

    struct Member {
        std::optional<std::string> instance;
        GroupClient client;
        Millis session_timeout{};
        Millis rebalance_timeout{};
        TimePoint expires{}; ///< unless it waits for an answer
        Protocols protocols;
        std::string assignment;
        bool synced = false; ///< asked for its assignment in this generation
        Joined join_wait;
        Synced sync_wait;

        [[nodiscard]] bool waits() const noexcept { return join_wait || sync_wait; }
        [[nodiscard]] std::string metadata_for(std::string_view protocol) const;
    };
    using Members = std::map<std::string, Member>;

    [[nodiscard]] Error check(const std::string& member,
                              const std::optional<std::string>& instance) const;
    [[nodiscard]] Members::const_iterator find_instance(
        const std::optional<std::string>& instance) const;
    [[nodiscard]] bool agrees(const JoinGroupRequest& request) const;
    [[nodiscard]] bool all_know(std::string_view protocol, const std::string& but) const;
    void join_new(Join& join);
    void join_again(Join& join);
    void replace(const std::string& old, Join& join);
    void add(Join& join, const std::string& id);
    static void update(Member& member, Join& join);
    static void keep_alive(Member& member, TimePoint now);

    void rebalance(TimePoint now);
    void complete_if_all_joined(TimePoint now);
    void complete_join(TimePoint now);
    void take_assignments(const SyncGroupRequest& request);
    void removed(TimePoint now);
    void become_empty();
    [[nodiscard]] std::string choose_protocol() const;
    [[nodiscard]] Millis rebalance_timeout() const;

    [[nodiscard]] JoinGroupResponse joined(const std::string& id) const;
    [[nodiscard]] SyncGroupResponse synced(const Member& member) const;
    void refuse(Joined& wait, Error error, const std::string& member);
    void refuse(Synced& wait, Error error);
    void answer(Joined& wait, JoinGroupResponse response);
    void answer(Synced& wait, SyncGroupResponse response);

    std::string id_;
    const GroupOptions* options_;
    Due* due_;
    State state_ = State::empty;
    std::int32_t generation_ = 0;
    std::string protocol_type_;
    std::string protocol_; ///< what the members agreed on
    std::string leader_;
    Members members_;
    std::map<std::string, TimePoint> pending_; ///< told their id, not back yet; until when
    TimePoint deadline_{};                     ///< of preparing and of completing
    TimePoint initial_limit_{};
    bool initial_ = false; ///< preparing, and it was empty before
};

} // namespace mini_broker::kafka
