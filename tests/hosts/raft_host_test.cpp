// The interface of the wrapped libraries, on each of them.
#include "any_library.hpp"
#include "raft_group.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using insync::tests::any_library;
using insync::tests::any_options;
using insync::tests::fnv1a;
using insync::tests::RaftGroup;

TEST_CASE("three nodes elect a leader, and what it appends gets onto every disk", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    REQUIRE(host.reader->abi == INSYNC_RAFT_ABI);
    RaftGroup group(host, any_options(), {1, 2, 3});
    CHECK(group.state(1).leader == 0);
    CHECK(group.state(1).last == 1);
    const auto leader = group.wait_for_leader();
    REQUIRE(leader != 0);
    const auto index = group.append(leader, "first");
    REQUIRE(index == group.state(leader).last);
    group.settle();
    group.tick();
    CHECK(group.state(leader).epoch_start == index - 1);
    CHECK(group.state(leader).membership == 1);
    for (const std::uint64_t id : {1u, 2u, 3u}) {
        const auto state = group.state(id);
        CHECK(state.id == id);
        CHECK(state.leader == leader);
        CHECK(state.last == index);
        CHECK(state.persisted == index);
        CHECK(state.committed == index);
        CHECK(state.applied == index);
        CHECK(group.on_disk(id, index).hash == fnv1a("first"));
        CHECK(group.on_disk(id, index).term == state.term);
        CHECK(group.disk(id).term == state.term);
        const auto row = group.peer(leader, id);
        CHECK(row.matched == index);
        CHECK(row.confirmed == 1);
        CHECK(row.member == INSYNC_RAFT_VOTER);
    }
}

TEST_CASE("a crash loses what was not persisted, and only that", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, {.asynchronous = true}, {1, 2, 3});
    REQUIRE(group.elect(1));
    const auto kept = group.append(1, "kept");
    group.settle();
    group.cut(1);
    group.hold_writes(1);
    const auto lost = group.append(1, "lost");
    group.settle();
    raft_host_entry entry{};
    REQUIRE(host.entry(group[1], lost, &entry) == RAFT_HOST_OK);
    CHECK(entry.hash == fnv1a("lost"));
    CHECK(entry.durable == 0);
    CHECK(group.state(1).last == lost);
    CHECK(group.state(1).persisted == kept);
    CHECK(host.newest_write(group[1]) != 0);

    const auto term = group.state(1).term;
    const auto before = host.reader->version(group[1]);
    REQUIRE(host.crash(group[1]) == RAFT_HOST_OK);
    insync_raft_state state{};
    CHECK(host.reader->read(group[1], &state, nullptr, 0) == INSYNC_RAFT_UNAVAILABLE);
    CHECK(host.reader->version(group[1]) != before);
    CHECK(host.tick(group[1]) == RAFT_HOST_DOWN);
    REQUIRE(host.restart(group[1]) == RAFT_HOST_OK);
    CHECK(group.state(1).term == term);
    CHECK(group.state(1).last == kept);
    CHECK(group.state(1).leader == 0);
    CHECK(group.on_disk(1, kept).hash == fnv1a("kept"));
    CHECK(host.entry(group[1], lost, &entry) == RAFT_HOST_NONE);
}

TEST_CASE("an acknowledgement waits for the disk of the node that gives it", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, {.asynchronous = true}, {1, 2, 3});
    REQUIRE(group.elect(1));
    group.hold_writes(2);
    group.hold_writes(3);
    const auto index = group.append(1, "waits");
    group.settle();
    CHECK(group.state(1).persisted == index);
    CHECK(group.state(1).committed < index);
    CHECK(group.peer(1, 2).matched < index);
    CHECK(group.state(2).last == index);
    CHECK(group.state(2).persisted < index);
    group.release_writes();
    group.settle();
    CHECK(group.state(1).committed == index);
    CHECK(group.peer(1, 2).matched == index);
}

TEST_CASE("an entry that a queued write replaces is no longer persisted", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, {.asynchronous = true}, {1, 2, 3});
    REQUIRE(group.elect(1));
    group.cut(1);
    const auto index = group.append(1, "of nobody else");
    group.settle();
    REQUIRE(group.state(1).persisted == index);
    group.heal();
    group.hold_writes(1);
    REQUIRE(group.elect(2));
    CHECK(group.state(1).last == index);
    CHECK(group.state(1).persisted == index - 1);
    CHECK(group.on_disk(1, index).hash == fnv1a("of nobody else"));
    raft_host_entry entry{};
    REQUIRE(host.entry(group[1], index, &entry) == RAFT_HOST_OK);
    CHECK(entry.term == group.state(2).term);
    CHECK(entry.durable == 0);
    group.release_writes();
    group.settle();
    CHECK(group.state(1).persisted == index);
    CHECK(group.on_disk(1, index).term == group.state(2).term);
}

TEST_CASE("a term begins with matches of 0, confirmed by nobody", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, {}, {1, 2, 3});
    REQUIRE(group.elect(1));
    (void)group.append(1, "held by all");
    group.settle();
    group.cut(3);
    REQUIRE(group.elect(2));
    CHECK(group.peer(2, 1).confirmed == 1);
    CHECK(group.peer(2, 3).confirmed == 0);
    CHECK(group.peer(2, 3).matched == 0);
}

TEST_CASE("a leader without its quorum steps down if it checks, and only then", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    const bool checks = GENERATE(false, true);
    RaftGroup group(host, {.check_quorum = checks}, {1, 2, 3});
    const auto leader = group.wait_for_leader();
    REQUIRE(leader != 0);
    CHECK(group.state(leader).check_quorum == (checks ? 1 : 0));
    group.cut(leader);
    group.tick(2 * RaftGroup::kElectionTicks);
    CHECK((group.state(leader).role == INSYNC_RAFT_LEADER) == !checks);
    if (checks) CHECK(group.state(leader).leader == 0);
}

TEST_CASE("a log that was compacted restarts from its snapshot", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, any_options(), {1, 2, 3});
    REQUIRE(group.elect(1));
    std::uint64_t index = 0;
    for (int i = 0; i < 20; ++i) index = group.append(1, std::to_string(i));
    group.settle();
    CHECK(host.compact(group[1], index + 1) == RAFT_HOST_NONE);
    REQUIRE(host.compact(group[1], index - 5) == RAFT_HOST_OK);
    CHECK(host.compact(group[1], index - 5) == RAFT_HOST_COMPACTED);
    REQUIRE(host.crash(group[1]) == RAFT_HOST_OK);
    REQUIRE(host.restart(group[1]) == RAFT_HOST_OK);
    CHECK(group.disk(1).first == index - 4);
    CHECK(group.state(1).last == index);
    group.settle();
    CHECK(group.state(1).applied == index);
    CHECK(group.on_disk(1, index).hash == fnv1a("19"));
    raft_host_entry entry{};
    CHECK(host.entry(group[1], index - 5, &entry) == RAFT_HOST_COMPACTED);
}

TEST_CASE("bytes that are no message, and another node's messages, are refused", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, {}, {1, 2, 3});
    const std::uint8_t noise[] = {0xff, 0xff, 0xff, 0x01, 0x02};
    CHECK(host.step(group[1], noise, sizeof noise) == RAFT_HOST_BAD_ARGUMENT);
    raft_host_message about{};
    CHECK(host.describe(noise, sizeof noise, &about) == RAFT_HOST_BAD_ARGUMENT);
    CHECK(host.step(0, noise, sizeof noise) == RAFT_HOST_BAD_ARGUMENT);
    REQUIRE(host.campaign(group[1]) == RAFT_HOST_OK);
    std::uint8_t bytes[256];
    std::size_t size = 0;
    CHECK(host.next_message(group[1], bytes, 1, &size, &about) == RAFT_HOST_BAD_ARGUMENT);
    REQUIRE(host.next_message(group[1], bytes, sizeof bytes, &size, &about) == RAFT_HOST_OK);
    CHECK(about.kind == RAFT_HOST_VOTE);
    CHECK(about.from == 1);
    CHECK(about.term == group.state(1).term);
    raft_host_message again{};
    REQUIRE(host.describe(bytes, size, &again) == RAFT_HOST_OK);
    CHECK(std::memcmp(&about, &again, sizeof about) == 0);
    const std::uint64_t other = about.to == 2 ? 3 : 2;
    CHECK(host.step(group[other], bytes, size) == RAFT_HOST_BAD_ARGUMENT);
    CHECK(host.step(group[about.to], bytes, size) == RAFT_HOST_OK);
    raft_host_config config{};
    CHECK(host.create(&config) == 0);
}

TEST_CASE("a panic of the library ends its node and nothing else", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, any_options(), {1, 2, 3});
    REQUIRE(group.elect(1));
    // A heartbeat of term 9 from node 2 to node 1 that commits what its log does not have.
    const std::uint8_t lie[] = {0x08, 8, 0x10, 1, 0x18, 2, 0x20, 9, 0x40, 100};
    REQUIRE(host.step(group[1], lie, sizeof lie) == RAFT_HOST_PANIC);
    CHECK(group.error(1).find("out of range") != std::string::npos);
    insync_raft_state state{};
    CHECK(host.reader->read(group[1], &state, nullptr, 0) == INSYNC_RAFT_UNAVAILABLE);
    CHECK(host.tick(group[1]) == RAFT_HOST_DOWN);
    CHECK(host.tick(group[2]) == RAFT_HOST_OK);
    REQUIRE(host.restart(group[1]) == RAFT_HOST_OK);
    CHECK(group.wait_for_leader() != 0);
}

TEST_CASE("the same seeds make the same elections, and others do not", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    const auto history = [&](std::uint64_t seed) {
        RaftGroup group(host, {.seed = seed}, {1, 2, 3});
        std::string leaders;
        for (int round = 0; round < 12; ++round) {
            std::uint32_t ticks = 0;
            std::uint64_t leader = 0;
            for (; leader == 0 && ticks < 500; ++ticks) {
                group.tick();
                for (const std::uint64_t id : {1u, 2u, 3u})
                    if (group.state(id).role == INSYNC_RAFT_LEADER) leader = id;
            }
            leaders += std::to_string(leader) + " after " + std::to_string(ticks) + ", ";
            (void)host.crash(group[leader]);
            (void)host.restart(group[leader]);
        }
        return leaders + std::to_string(group.sent().size());
    };
    CHECK(history(1) == history(1));
    CHECK(history(1) != history(2));
}

TEST_CASE("the version moves whenever a read says something else", "[raft_host]") {
    const raft_host& host = any_library();
    CAPTURE(host.name);
    RaftGroup group(host, {.check_quorum = GENERATE(false, true), .asynchronous = true}, {1, 2, 3});
    group.add_empty(4);
    struct Seen {
        insync_raft_state state;
        std::vector<insync_raft_peer> peers;
        std::uint64_t version;
    };
    const auto look = [&](std::uint64_t id) {
        auto rows = group.peers(id);
        for (auto& row : rows) row.recent_active = 0;
        return Seen{group.state(id), rows, host.reader->version(group[id])};
    };
    const std::uint32_t seed = 7;
    CAPTURE(seed);
    std::mt19937 random(seed);
    Seen before[4] = {look(1), look(2), look(3), look(4)};
    int unchanged = 0;
    for (int step = 0; step < 600; ++step) {
        const std::uint64_t id = random() % 4 + 1;
        int result = RAFT_HOST_OK;
        switch (random() % 10) {
        case 0: result = host.campaign(group[id]); break;
        case 1: (void)group.append(id, "something"); break;
        case 2: result = host.persist(group[id], host.newest_write(group[id])); break;
        case 3:
            result = group.change(id, {{4, static_cast<std::uint32_t>(random() % 3), 0}},
                                  RAFT_HOST_SIMPLE);
            break;
        case 4: group.settle(); break;
        case 5: result = host.crash(group[id]); break;
        case 6: result = host.restart(group[id]); break;
        case 7: group.cut(id); break;
        case 8: group.heal(); break;
        default: group.tick(); break;
        }
        REQUIRE(result != RAFT_HOST_PANIC);
        for (std::uint64_t node = 1; node <= 4; ++node) {
            const Seen now = look(node);
            const bool same =
                std::memcmp(&now.state, &before[node - 1].state, sizeof now.state) == 0 &&
                std::ranges::equal(now.peers, before[node - 1].peers, [](auto& a, auto& b) {
                    return std::memcmp(&a, &b, sizeof a) == 0;
                });
            REQUIRE((same || now.version != before[node - 1].version));
            if (now.version == before[node - 1].version) ++unchanged;
            before[node - 1] = now;
        }
    }
    CHECK(unchanged > 600); // it does not move at every call
}
