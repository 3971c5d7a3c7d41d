#pragma once

#include "raft_host.h"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace insync::tests {

/// A few nodes of one library whose messages arrive at once, in the order in which they were sent.
/// For tests of the interface itself; it knows neither delays nor lost messages but by `cut`.
class RaftGroup {
public:
    struct Options {
        bool check_quorum = false;
        bool pre_vote = false;
        bool asynchronous = false;
        std::uint64_t seed = 1;
    };
    static constexpr std::uint32_t kElectionTicks = 10;

    RaftGroup(const raft_host& host, Options options, std::vector<std::uint64_t> voters)
        : host_(host), options_(options), voters_(std::move(voters)) {
        for (const auto id : voters_) add(id, voters_);
    }
    ~RaftGroup() {
        for (const auto& [id, handle] : nodes_) host_.destroy(handle);
    }
    RaftGroup(const RaftGroup&) = delete;
    RaftGroup& operator=(const RaftGroup&) = delete;

    /// A node that joins with an empty disk.
    void add_empty(std::uint64_t id) { add(id, {}); }

    [[nodiscard]] raft_host_node operator[](std::uint64_t id) const { return nodes_.at(id); }

    [[nodiscard]] insync_raft_state state(std::uint64_t id) const {
        insync_raft_state state{};
        (void)host_.reader->read(nodes_.at(id), &state, nullptr, 0);
        return state;
    }

    [[nodiscard]] std::vector<insync_raft_peer> peers(std::uint64_t id) const {
        insync_raft_state state{};
        std::vector<insync_raft_peer> found(32);
        const auto count = host_.reader->read(nodes_.at(id), &state, found.data(), 32);
        found.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return found;
    }

    /// The row that `leader` has for `id`; with id 0 if there is none.
    [[nodiscard]] insync_raft_peer peer(std::uint64_t leader, std::uint64_t id) const {
        for (const auto& row : peers(leader))
            if (row.id == id) return row;
        return {};
    }

    void cut(std::uint64_t id) { cut_.insert(id); }
    void heal() { cut_.clear(); }
    void hold_writes(std::uint64_t id) { held_.insert(id); }
    void release_writes() { held_.clear(); }

    /// Delivers messages and writes until there are none.
    void settle() {
        for (bool busy = true; busy;) {
            busy = false;
            for (const auto& [id, handle] : nodes_) {
                const auto write = host_.newest_write(handle);
                if (write != 0 && !held_.contains(id)) {
                    (void)host_.persist(handle, write);
                    busy = true;
                }
                busy = send_all(id) || busy;
            }
        }
    }

    void tick(std::uint32_t times = 1) {
        while (times-- > 0) {
            for (const auto& [id, handle] : nodes_) (void)host_.tick(handle);
            settle();
        }
    }

    bool elect(std::uint64_t id) {
        (void)host_.campaign(nodes_.at(id));
        settle();
        return state(id).role == INSYNC_RAFT_LEADER;
    }

    /// Ticks until some node leads and all that run follow it; 0 if that takes too long.
    std::uint64_t wait_for_leader() {
        for (std::uint32_t ticks = 0; ticks < 20 * kElectionTicks; ++ticks) {
            tick();
            for (const auto& [id, handle] : nodes_)
                if (!cut_.contains(id) && state(id).role == INSYNC_RAFT_LEADER) return id;
        }
        return 0;
    }

    std::uint64_t append(std::uint64_t leader, const std::string& text) {
        std::uint64_t index = 0;
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
        if (host_.propose(nodes_.at(leader), bytes, text.size(), &index) != RAFT_HOST_OK) return 0;
        return index;
    }

    int change(std::uint64_t leader, std::vector<raft_host_change> steps, std::uint32_t how) {
        return host_.change(nodes_.at(leader), steps.data(),
                            static_cast<std::uint32_t>(steps.size()), how, nullptr);
    }

    [[nodiscard]] raft_host_entry on_disk(std::uint64_t id, std::uint64_t index) const {
        raft_host_entry entry{};
        (void)host_.disk_entry(nodes_.at(id), index, &entry);
        return entry;
    }

    [[nodiscard]] raft_host_disk disk(std::uint64_t id) const {
        raft_host_disk disk{};
        (void)host_.disk(nodes_.at(id), &disk);
        return disk;
    }

    [[nodiscard]] std::string error(std::uint64_t id) const {
        std::string text(200, '\0');
        text.resize(host_.last_error(nodes_.at(id), text.data(), text.size()));
        return text;
    }

    [[nodiscard]] const std::vector<raft_host_message>& sent() const { return sent_; }

private:
    void add(std::uint64_t id, const std::vector<std::uint64_t>& voters) {
        raft_host_config config{};
        config.id = id;
        config.voters = voters.data();
        config.voter_count = static_cast<std::uint32_t>(voters.size());
        config.election_ticks = kElectionTicks;
        config.heartbeat_ticks = 1;
        config.seed = options_.seed * 1000 + id;
        config.check_quorum = options_.check_quorum;
        config.pre_vote = options_.pre_vote;
        config.async_persistence = options_.asynchronous;
        nodes_[id] = host_.create(&config);
    }

    bool send_all(std::uint64_t id) {
        bool any = false;
        std::vector<std::uint8_t> bytes(1 << 12);
        raft_host_message about{};
        std::size_t size = 0;
        for (;;) {
            auto result =
                host_.next_message(nodes_.at(id), bytes.data(), bytes.size(), &size, &about);
            if (result == RAFT_HOST_BAD_ARGUMENT) {
                bytes.resize(size);
                result =
                    host_.next_message(nodes_.at(id), bytes.data(), bytes.size(), &size, &about);
            }
            if (result != RAFT_HOST_OK) return any;
            any = true;
            sent_.push_back(about);
            const auto to = nodes_.find(about.to);
            if (to == nodes_.end() || cut_.contains(id) || cut_.contains(about.to)) continue;
            (void)host_.step(to->second, bytes.data(), size);
        }
    }

    const raft_host& host_;
    Options options_;
    std::vector<std::uint64_t> voters_;
    std::map<std::uint64_t, raft_host_node> nodes_;
    std::set<std::uint64_t> cut_;
    std::set<std::uint64_t> held_;
    std::vector<raft_host_message> sent_;
};

} // namespace insync::tests
