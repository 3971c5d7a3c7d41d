// The rounds of a group: how a rebalance begins and ends, and what time does to it.
#include "kafka/groups/group.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace mini_broker::kafka {

void Group::rebalance(TimePoint now) {
    if (state_ != State::preparing) {
        for (auto& [id, member] : members_) {
            if (member.sync_wait) {
                keep_alive(member, now);
                refuse(member.sync_wait, Error::rebalance_in_progress);
            }
            member.assignment.clear();
        }
        initial_ = state_ == State::empty && options_->initial_rebalance_delay > Millis{0};
        initial_limit_ = now + rebalance_timeout();
        deadline_ = initial_ ? std::min(initial_limit_, now + options_->initial_rebalance_delay)
                             : initial_limit_;
        state_ = State::preparing;
    }
    complete_if_all_joined(now);
}

void Group::complete_if_all_joined(TimePoint now) {
    if (state_ != State::preparing || initial_ || !pending_.empty()) return;
    const bool all = std::all_of(members_.begin(), members_.end(), [](const auto& entry) {
        return static_cast<bool>(entry.second.join_wait);
    });
    if (all) complete_join(now);
}

void Group::complete_join(TimePoint now) {
    // A member with an instance id keeps its place until its session ends: it may be restarting.
    std::erase_if(members_, [](const auto& entry) {
        return !entry.second.join_wait && !entry.second.instance;
    });
    initial_ = false;
    if (members_.empty()) return become_empty();
    deadline_ = now + rebalance_timeout();
    const auto first = std::find_if(members_.begin(), members_.end(), [](const auto& entry) {
        return static_cast<bool>(entry.second.join_wait);
    });
    if (first == members_.end()) return;
    const auto leader = members_.find(leader_);
    if (leader == members_.end() || !leader->second.join_wait) leader_ = first->first;
    ++generation_;
    protocol_ = choose_protocol();
    state_ = State::completing;
    for (auto& [id, member] : members_) {
        member.synced = false;
        if (!member.join_wait) continue;
        keep_alive(member, now);
        answer(member.join_wait, joined(id));
    }
}

void Group::removed(TimePoint now) {
    if (members_.empty())
        become_empty();
    else
        rebalance(now);
}

void Group::become_empty() {
    if (state_ != State::empty) ++generation_;
    state_ = State::empty;
    initial_ = false;
    leader_.clear();
    protocol_.clear();
}

void Group::tick(TimePoint now) {
    if (std::erase_if(pending_, [now](const auto& entry) { return entry.second <= now; }) != 0)
        complete_if_all_joined(now);
    const auto silent = std::erase_if(members_, [now](const auto& entry) {
        return !entry.second.waits() && entry.second.expires <= now;
    });
    if (silent != 0) removed(now);
    if (deadline_ > now) return;
    if (state_ == State::preparing) {
        complete_join(now);
    } else if (state_ == State::completing) {
        const auto absent = std::erase_if(members_, [](const auto& entry) {
            return !entry.second.synced && !entry.second.instance;
        });
        if (absent != 0) removed(now);
    }
}

void Group::end(Error error) {
    for (auto& [id, member] : members_) {
        if (member.join_wait) refuse(member.join_wait, error, id);
        if (member.sync_wait) refuse(member.sync_wait, error);
    }
    members_.clear();
    pending_.clear();
    become_empty();
}

std::string Group::choose_protocol() const {
    std::map<std::string_view, std::set<std::string_view>> known_by;
    for (const auto& [id, member] : members_)
        for (const auto& known : member.protocols) known_by[known.name].insert(id);
    // Each member votes for the one it likes best of those that all know.
    std::map<std::string, int> votes;
    for (const auto& [id, member] : members_) {
        const auto liked = std::find_if(
            member.protocols.begin(), member.protocols.end(),
            [&](const auto& known) { return known_by[known.name].size() == members_.size(); });
        if (liked != member.protocols.end()) ++votes[liked->name];
    }
    const auto most =
        std::max_element(votes.begin(), votes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == votes.end() ? std::string{} : most->first;
}

Millis Group::rebalance_timeout() const {
    Millis longest{0};
    for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
    return longest;
}

std::size_t Group::memory() const noexcept {
    constexpr std::size_t kEach = 1024; // of what is as large for all
    std::size_t bytes = kEach + id_.size() + protocol_type_.size();
    for (const auto& [id, until] : pending_) bytes += kEach + id.size();
    for (const auto& [id, member] : members_) {
        bytes += kEach + id.size() + member.client.id.size() + member.assignment.size();
        for (const auto& known : member.protocols)
            bytes += known.name.size() + known.metadata.size();
    }
    return bytes;
}

std::string_view Group::state_name() const noexcept {
    switch (state_) {
    case State::empty: return "Empty";
    case State::preparing: return "PreparingRebalance";
    case State::completing: return "CompletingRebalance";
    case State::stable: return "Stable";
    }
    return "Dead";
}

DescribeGroupsResponse::Group Group::describe() const {
    DescribeGroupsResponse::Group told;
    told.group_id = id_;
    told.group_state = state_name();
    told.protocol_type = protocol_type_;
    const bool stable = state_ == State::stable;
    if (stable) told.protocol_data = protocol_;
    for (const auto& [id, member] : members_)
        told.members.push_back({id, member.instance, member.client.id, member.client.host,
                                stable ? member.metadata_for(protocol_) : std::string{},
                                member.assignment});
    return told;
}

JoinGroupResponse Group::joined(const std::string& id) const {
    JoinGroupResponse response;
    response.generation_id = generation_;
    response.protocol_type = protocol_type_;
    response.protocol_name = protocol_;
    response.leader = leader_;
    response.member_id = id;
    if (id == leader_)
        for (const auto& [other, member] : members_)
            response.members.push_back({other, member.instance, member.metadata_for(protocol_)});
    return response;
}

SyncGroupResponse Group::synced(const Member& member) const {
    SyncGroupResponse response;
    response.protocol_type = protocol_type_;
    response.protocol_name = protocol_;
    response.assignment = member.assignment;
    return response;
}

void Group::refuse(Joined& wait, Error error, const std::string& member) {
    JoinGroupResponse response;
    response.error_code = error;
    response.member_id = member;
    answer(wait, std::move(response));
}

void Group::refuse(Synced& wait, Error error) {
    SyncGroupResponse response;
    response.error_code = error;
    answer(wait, std::move(response));
}

void Group::answer(Joined& wait, JoinGroupResponse response) {
    due_->emplace_back(
        [done = std::exchange(wait, nullptr), response = std::move(response)] { done(response); });
}

void Group::answer(Synced& wait, SyncGroupResponse response) {
    due_->emplace_back(
        [done = std::exchange(wait, nullptr), response = std::move(response)] { done(response); });
}

} // namespace mini_broker::kafka
