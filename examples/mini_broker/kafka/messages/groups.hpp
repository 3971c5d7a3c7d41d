#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

// Metadata and assignments are bytes that only the clients of a group understand.

struct FindCoordinatorRequest {
    static constexpr ApiKey kApi = ApiKey::find_coordinator;
    std::string key;                           ///< up to version 3
    std::int8_t key_type = 0;                  ///< 0 group, 1 transaction
    std::vector<std::string> coordinator_keys; ///< from version 4 on
    bool operator==(const FindCoordinatorRequest&) const = default;
};

struct FindCoordinatorResponse {
    static constexpr ApiKey kApi = ApiKey::find_coordinator;
    struct Coordinator {
        std::string key;
        std::int32_t node_id = -1;
        std::string host;
        std::int32_t port = -1;
        Error error_code = Error::none;
        std::optional<std::string> error_message;
        bool operator==(const Coordinator&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none; ///< this and what follows up to version 3
    std::optional<std::string> error_message;
    std::int32_t node_id = -1;
    std::string host;
    std::int32_t port = -1;
    std::vector<Coordinator> coordinators; ///< from version 4 on
    bool operator==(const FindCoordinatorResponse&) const = default;
};

struct JoinGroupRequest {
    static constexpr ApiKey kApi = ApiKey::join_group;
    struct Protocol {
        std::string name;
        std::string metadata;
        bool operator==(const Protocol&) const = default;
    };
    std::string group_id;
    std::int32_t session_timeout_ms = 0;
    std::int32_t rebalance_timeout_ms = -1; ///< version 0 has none: the session timeout then
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string protocol_type;
    std::vector<Protocol> protocols;
    std::optional<std::string> reason;
    bool operator==(const JoinGroupRequest&) const = default;
};

struct JoinGroupResponse {
    static constexpr ApiKey kApi = ApiKey::join_group;
    struct Member {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        std::string metadata;
        bool operator==(const Member&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::int32_t generation_id = -1;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    std::string leader;
    bool skip_assignment = false;
    std::string member_id;
    std::vector<Member> members;
    bool operator==(const JoinGroupResponse&) const = default;
};

struct SyncGroupRequest {
    static constexpr ApiKey kApi = ApiKey::sync_group;
    struct Assignment {
        std::string member_id;
        std::string assignment;
        bool operator==(const Assignment&) const = default;
    };
    std::string group_id;
    std::int32_t generation_id = 0;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    std::vector<Assignment> assignments;
    bool operator==(const SyncGroupRequest&) const = default;
};

struct SyncGroupResponse {
    static constexpr ApiKey kApi = ApiKey::sync_group;
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    std::string assignment;
    bool operator==(const SyncGroupResponse&) const = default;
};

struct HeartbeatRequest {
    static constexpr ApiKey kApi = ApiKey::heartbeat;
    std::string group_id;
    std::int32_t generation_id = 0;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    bool operator==(const HeartbeatRequest&) const = default;
};

struct HeartbeatResponse {
    static constexpr ApiKey kApi = ApiKey::heartbeat;
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    bool operator==(const HeartbeatResponse&) const = default;
};

struct LeaveGroupRequest {
    static constexpr ApiKey kApi = ApiKey::leave_group;
    struct Member {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        std::optional<std::string> reason;
        bool operator==(const Member&) const = default;
    };
    std::string group_id;
    std::string member_id;       ///< up to version 2
    std::vector<Member> members; ///< from version 3 on
    bool operator==(const LeaveGroupRequest&) const = default;
};

struct LeaveGroupResponse {
    static constexpr ApiKey kApi = ApiKey::leave_group;
    struct Member {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        Error error_code = Error::none;
        bool operator==(const Member&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::vector<Member> members;
    bool operator==(const LeaveGroupResponse&) const = default;
};

} // namespace mini_broker::kafka
