#include "kafka/groups/group.hpp"

#include <algorithm>
#include <utility>

namespace mini_broker::kafka {

Group::Group(std::string id, const GroupOptions& options, Due& due)
    : id_(std::move(id)), options_(&options), due_(&due) {}

std::string Group::Member::metadata_for(std::string_view protocol) const {
    for (const auto& known : protocols)
        if (known.name == protocol) return known.metadata;
    return {};
}

Group::Members::const_iterator Group::find_instance(
    const std::optional<std::string>& instance) const {
    if (!instance) return members_.end();
    return std::find_if(members_.begin(), members_.end(),
                        [&](const auto& entry) { return entry.second.instance == instance; });
}

Error Group::check(const std::string& member, const std::optional<std::string>& instance) const {
    if (!instance) return members_.contains(member) ? Error::none : Error::unknown_member_id;
    // Of two processes with one instance id, the later one has the other's place.
    const auto found = find_instance(instance);
    if (found == members_.end()) return Error::unknown_member_id;
    return found->first == member ? Error::none : Error::fenced_instance_id;
}

bool Group::all_know(std::string_view protocol, const std::string& but) const {
    return std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
        const auto& [id, member] = entry;
        const auto is_it = [&](const auto& known) { return known.name == protocol; };
        return id == but || std::any_of(member.protocols.begin(), member.protocols.end(), is_it);
    });
}

bool Group::agrees(const JoinGroupRequest& request) const {
    // What the member itself said before is no hindrance.
    const auto same = find_instance(request.group_instance_id);
    const std::string& itself = same == members_.end() ? request.member_id : same->first;
    if (members_.empty()) return true;
    return request.protocol_type == protocol_type_ &&
           std::any_of(request.protocols.begin(), request.protocols.end(),
                       [&](const auto& known) { return all_know(known.name, itself); });
}

void Group::join(Join join) {
    if (!agrees(join.request))
        return refuse(join.done, Error::inconsistent_group_protocol, join.request.member_id);
    if (join.request.member_id.empty())
        join_new(join);
    else
        join_again(join);
}

void Group::join_new(Join& join) {
    const auto same = find_instance(join.request.group_instance_id);
    if (same != members_.end()) return replace(std::string(same->first), join);
    if (members_.size() + pending_.size() >= options_->members_max)
        return refuse(join.done, Error::group_max_size_reached, {});
    // From version 4 on a client comes twice, so that one which never gets our answer, and asks
    // again and again, does not become many members.
    if (join.version >= 4 && !join.request.group_instance_id) {
        pending_[join.fresh_id] = join.now + Millis{join.request.session_timeout_ms};
        return refuse(join.done, Error::member_id_required, join.fresh_id);
    }
    add(join, std::string(join.fresh_id));
}

void Group::join_again(Join& join) {
    const JoinGroupRequest& request = join.request;
    if (pending_.erase(request.member_id) != 0) {
        if (find_instance(request.group_instance_id) != members_.end())
            return refuse(join.done, Error::fenced_instance_id, request.member_id);
        return add(join, request.member_id);
    }
    const Error error = check(request.member_id, request.group_instance_id);
    if (error != Error::none) return refuse(join.done, error, request.member_id);
    Member& member = members_.at(request.member_id);
    keep_alive(member, join.now);
    // Who comes with nothing new missed our answer; only a leader in a stable group asks for a new
    // round that way, as it does when the topics have changed.
    const bool missed =
        state_ == State::completing || (state_ == State::stable && leader_ != request.member_id);
    if (missed && member.protocols == request.protocols)
        return answer(join.done, joined(request.member_id));
    if (member.join_wait) refuse(member.join_wait, Error::unknown_member_id, request.member_id);
    update(member, join);
    rebalance(join.now);
}

void Group::replace(const std::string& old, Join& join) {
    Member member = std::move(members_.at(old));
    if (member.join_wait) refuse(member.join_wait, Error::fenced_instance_id, old);
    if (member.sync_wait) refuse(member.sync_wait, Error::fenced_instance_id);
    members_.erase(old);
    Member& placed = members_[join.fresh_id] = std::move(member);
    update(placed, join);
    keep_alive(placed, join.now);
    rebalance(join.now);
}

void Group::add(Join& join, const std::string& id) {
    if (members_.empty()) protocol_type_ = join.request.protocol_type;
    Member& member = members_[id];
    member.instance = join.request.group_instance_id;
    update(member, join);
    keep_alive(member, join.now);
    if (state_ == State::preparing && initial_)
        deadline_ = std::min(initial_limit_, join.now + options_->initial_rebalance_delay);
    rebalance(join.now);
}

void Group::update(Member& member, Join& join) {
    const JoinGroupRequest& request = join.request;
    member.client = std::move(join.client);
    member.session_timeout = Millis{request.session_timeout_ms};
    member.rebalance_timeout =
        Millis{request.rebalance_timeout_ms < 0 ? request.session_timeout_ms
                                                : request.rebalance_timeout_ms};
    member.protocols = request.protocols;
    member.join_wait = std::move(join.done);
}

void Group::keep_alive(Member& member, TimePoint now) {
    member.expires = now + member.session_timeout;
}

void Group::sync(TimePoint now, const SyncGroupRequest& request, Synced done) {
    if (const Error error = check(request.member_id, request.group_instance_id);
        error != Error::none)
        return refuse(done, error);
    if (request.generation_id != generation_) return refuse(done, Error::illegal_generation);
    if ((request.protocol_type && *request.protocol_type != protocol_type_) ||
        (request.protocol_name && *request.protocol_name != protocol_))
        return refuse(done, Error::inconsistent_group_protocol);
    Member& member = members_.at(request.member_id);
    keep_alive(member, now);
    if (state_ == State::stable) return answer(done, synced(member));
    if (state_ != State::completing) return refuse(done, Error::rebalance_in_progress);
    if (member.sync_wait) refuse(member.sync_wait, Error::unknown_member_id);
    member.sync_wait = std::move(done);
    member.synced = true;
    if (request.member_id != leader_) return;
    take_assignments(request);
    for (auto& [id, waiting] : members_) {
        if (!waiting.sync_wait) continue;
        keep_alive(waiting, now);
        answer(waiting.sync_wait, synced(waiting));
    }
}

void Group::take_assignments(const SyncGroupRequest& request) {
    for (const auto& [id, assignment] : request.assignments)
        if (const auto member = members_.find(id); member != members_.end())
            member->second.assignment = assignment;
    state_ = State::stable;
}

Error Group::heartbeat(TimePoint now, const HeartbeatRequest& request) {
    if (const Error error = check(request.member_id, request.group_instance_id);
        error != Error::none)
        return error;
    if (request.generation_id != generation_) return Error::illegal_generation;
    keep_alive(members_.at(request.member_id), now);
    return state_ == State::preparing ? Error::rebalance_in_progress : Error::none;
}

Error Group::may_commit(TimePoint now,
                        std::int32_t generation,
                        const std::string& member,
                        const std::optional<std::string>& instance) {
    // Who uses no membership may commit while nobody else does.
    if (generation < 0 && members_.empty()) return Error::none;
    if (const Error error = check(member, instance); error != Error::none) return error;
    if (generation != generation_) return Error::illegal_generation;
    keep_alive(members_.at(member), now);
    return state_ == State::completing ? Error::rebalance_in_progress : Error::none;
}

Error Group::leave(TimePoint now,
                   const std::string& member,
                   const std::optional<std::string>& instance) {
    if (!instance && pending_.erase(member) != 0) {
        complete_if_all_joined(now);
        return Error::none;
    }
    // An operator may remove a member by its instance id alone.
    const auto same = find_instance(instance);
    const std::string id = member.empty() && same != members_.end() ? same->first : member;
    if (const Error error = check(id, instance); error != Error::none) return error;
    const auto leaving = members_.find(id);
    if (leaving->second.join_wait) refuse(leaving->second.join_wait, Error::unknown_member_id, id);
    if (leaving->second.sync_wait) refuse(leaving->second.sync_wait, Error::unknown_member_id);
    members_.erase(leaving);
    removed(now);
    return Error::none;
}

} // namespace mini_broker::kafka
