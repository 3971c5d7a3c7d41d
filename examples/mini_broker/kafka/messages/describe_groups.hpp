#pragma once

#include "kafka/api.hpp"
#include "kafka/errors.hpp"
#include "kafka/messages/common.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mini_broker::kafka {

struct DescribeGroupsRequest {
    static constexpr ApiKey kApi = ApiKey::describe_groups;
    std::vector<std::string> groups;
    bool include_authorized_operations = false;
    bool operator==(const DescribeGroupsRequest&) const = default;
};

struct DescribeGroupsResponse {
    static constexpr ApiKey kApi = ApiKey::describe_groups;
    struct Member {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        std::string client_id;
        std::string client_host;
        std::string member_metadata;
        std::string member_assignment;
        bool operator==(const Member&) const = default;
    };
    struct Group {
        Error error_code = Error::none;
        std::string group_id;
        std::string group_state;
        std::string protocol_type;
        std::string protocol_data;
        std::vector<Member> members;
        std::int32_t authorized_operations = kNoOperations;
        bool operator==(const Group&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    std::vector<Group> groups;
    bool operator==(const DescribeGroupsResponse&) const = default;
};

struct ListGroupsRequest {
    static constexpr ApiKey kApi = ApiKey::list_groups;
    std::vector<std::string> states_filter;
    bool operator==(const ListGroupsRequest&) const = default;
};

struct ListGroupsResponse {
    static constexpr ApiKey kApi = ApiKey::list_groups;
    struct Group {
        std::string group_id;
        std::string protocol_type;
        std::string group_state;
        bool operator==(const Group&) const = default;
    };
    std::int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    std::vector<Group> groups;
    bool operator==(const ListGroupsResponse&) const = default;
};

} // namespace mini_broker::kafka
