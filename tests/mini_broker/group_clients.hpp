#pragma once

#include "kafka/groups/coordinator.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace group_clients {

using namespace mini_broker;
using namespace mini_broker::kafka;

/// A coordinator with a clock, and member ids that count.
class World {
public:
    explicit World(GroupOptions options = {})
        : coordinator(options, [this] { return fmt::format("{}", ++ids_); }) {}

    void wait(std::int64_t ms) {
        now += Millis{ms};
        coordinator.tick(now);
    }

    TimePoint now{Millis{1'000'000}};
    Coordinator coordinator;

private:
    int ids_ = 0;
};

/// What a client of a group does, one request at a time.
class Client {
public:
    Client(World& world, std::string name, std::optional<std::string> instance = {})
        : world_(&world), name_(std::move(name)), instance_(std::move(instance)) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void join(int version = 9) {
        JoinGroupRequest request;
        request.group_id = "g";
        request.session_timeout_ms = session_ms;
        request.rebalance_timeout_ms = 30'000;
        request.member_id = member;
        request.group_instance_id = instance_;
        request.protocol_type = protocol_type;
        for (const auto& protocol : protocols) request.protocols.push_back({protocol, name_});
        waiting = true;
        world_->coordinator.join(world_->now, version, request, {name_, "here"},
                                 [this](const JoinGroupResponse& response) { take(response); });
    }
    /// As clients of today do: the first answer is an id to come back with.
    void join_twice() {
        join();
        if (joined && joined->error_code == Error::member_id_required) join();
    }
    void sync() {
        SyncGroupRequest request;
        request.group_id = "g";
        request.generation_id = generation;
        request.member_id = member;
        request.group_instance_id = instance_;
        if (leads())
            for (const auto& other : joined->members)
                request.assignments.push_back({other.member_id, "for " + other.metadata});
        waiting = true;
        world_->coordinator.sync(world_->now, request, [this](const SyncGroupResponse& response) {
            ++answers;
            waiting = false;
            synced = response;
        });
    }
    Error heartbeat() {
        return world_->coordinator.heartbeat(world_->now, {"g", generation, member, instance_})
            .error_code;
    }
    Error commit() {
        OffsetCommitRequest request;
        request.group_id = "g";
        request.generation_id = generation;
        request.member_id = member;
        request.group_instance_id = instance_;
        return world_->coordinator.may_commit(world_->now, request);
    }
    Error leave() {
        LeaveGroupRequest request;
        request.group_id = "g";
        request.member_id = member;
        return world_->coordinator.leave(world_->now, request).error_code;
    }
    [[nodiscard]] bool leads() const { return joined && joined->leader == member; }
    [[nodiscard]] const std::string& name() const { return name_; }

    std::int32_t session_ms = 10'000;
    std::string protocol_type = "consumer";
    std::vector<std::string> protocols{"range", "sticky"};
    std::string member;
    std::int32_t generation = -1;
    std::optional<JoinGroupResponse> joined;
    std::optional<SyncGroupResponse> synced;
    bool waiting = false; ///< for an answer
    int answers = 0;

private:
    void take(const JoinGroupResponse& response) {
        ++answers;
        waiting = false;
        joined = response;
        if (!response.member_id.empty()) member = response.member_id;
        if (response.error_code == Error::none) generation = response.generation_id;
    }

    World* world_;
    std::string name_;
    std::optional<std::string> instance_;
};

} // namespace group_clients
