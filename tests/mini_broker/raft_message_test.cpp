#include "log/record_batch.hpp"
#include "mini_broker/log/batches.hpp"
#include "mini_broker/simulation/sim_peers.hpp"
#include "property/random.hpp"
#include "raft/configuration.hpp"
#include "raft/group_meta.hpp"
#include "raft/message.hpp"
#include "raft/raft_error.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace mini_broker;

namespace {

constexpr NodeId kFrom = 2;

std::optional<InboundMessage> decode(const raft_message& message, std::string_view payload) {
    return decode_message(kFrom, static_cast<std::uint8_t>(message.type), payload);
}

std::string encoded(const raft_message& message, const SnapshotContent& snapshot = {}) {
    std::string payload;
    encode_message(message, snapshot, payload);
    return payload;
}

raft_message append_message(unsigned entries) {
    raft_message message{};
    message.type = RAFT_APPEND_ENTRIES;
    message.append_entries.version = 1;
    message.append_entries.term = 7;
    message.append_entries.prev_log_index = 10;
    message.append_entries.prev_log_term = 3;
    message.append_entries.leader_commit = 9;
    message.append_entries.n_entries = entries;
    return message;
}

/// Three entries of two kinds and terms: records, a barrier, records.
std::vector<std::string> some_batches() {
    return {log_test::make_batch({.base_offset = 20, .term = 3, .records = 4}),
            make_entry(EntryKind::barrier, 5, 24, {}, 1000),
            log_test::make_batch({.base_offset = 24, .term = 7, .records = 1, .body = 300})};
}

std::string append_payload(const std::vector<std::string>& batches) {
    std::string payload = encoded(append_message(static_cast<unsigned>(batches.size())));
    for (const std::string& batch : batches) payload += batch;
    return payload;
}

bool accepted(const std::vector<std::string>& batches) {
    return decode_message(kFrom, RAFT_APPEND_ENTRIES, append_payload(batches)).has_value();
}

raft_message snapshot_message() {
    raft_message message{};
    message.type = RAFT_INSTALL_SNAPSHOT;
    message.install_snapshot.version = 1;
    message.install_snapshot.term = 9;
    message.install_snapshot.last_index = 100;
    message.install_snapshot.last_term = 8;
    message.install_snapshot.conf_index = 1;
    return message;
}

} // namespace

TEST_CASE("A vote request arrives as it was sent", "[raft][message]") {
    raft_message message{};
    message.type = RAFT_REQUEST_VOTE;
    message.request_vote = {2, 5, 3, 0x1'0000'0001, 4, true, false};
    const auto inbound = decode(message, encoded(message));
    REQUIRE(inbound);
    const raft_request_vote& got = inbound->message.request_vote;
    CHECK(inbound->message.server_id == 2);
    CHECK(got.version == 2);
    CHECK(got.term == 5);
    CHECK(got.candidate_id == 3);
    CHECK(got.last_log_index == 0x1'0000'0001);
    CHECK(got.last_log_term == 4);
    CHECK(got.disrupt_leader);
    CHECK_FALSE(got.pre_vote);
}

TEST_CASE("Results and a call to stand arrive as they were sent", "[raft][message]") {
    raft_message vote{};
    vote.type = RAFT_REQUEST_VOTE_RESULT;
    vote.request_vote_result = {2, 5, true, true, 1, 77};
    const auto got_vote = decode(vote, encoded(vote));
    REQUIRE(got_vote);
    CHECK(got_vote->message.request_vote_result.vote_granted);
    CHECK(got_vote->message.request_vote_result.pre_vote);
    CHECK(got_vote->message.request_vote_result.features == 1);
    CHECK(got_vote->message.request_vote_result.capacity == 77);

    raft_message result{};
    result.type = RAFT_APPEND_ENTRIES_RESULT;
    result.append_entries_result = {1, 6, 12, 11, 1, 0};
    const auto got_result = decode(result, encoded(result));
    REQUIRE(got_result);
    CHECK(got_result->message.append_entries_result.term == 6);
    CHECK(got_result->message.append_entries_result.rejected == 12);
    CHECK(got_result->message.append_entries_result.last_log_index == 11);

    raft_message call{};
    call.type = RAFT_TIMEOUT_NOW;
    call.timeout_now = {1, 6, 12, 5};
    const auto got_call = decode(call, encoded(call));
    REQUIRE(got_call);
    CHECK(got_call->message.timeout_now.last_log_index == 12);
    CHECK(got_call->message.timeout_now.last_log_term == 5);
}

TEST_CASE("Appended entries arrive as the bytes on disk, with term and kind", "[raft][message]") {
    const std::vector<std::string> batches = some_batches();
    const std::string payload = append_payload(batches);
    const auto inbound = decode_message(kFrom, RAFT_APPEND_ENTRIES, payload);
    REQUIRE(inbound);
    const raft_append_entries& args = inbound->message.append_entries;
    CHECK(args.prev_log_index == 10);
    CHECK(args.leader_commit == 9);
    REQUIRE(args.n_entries == 3);
    for (unsigned i = 0; i < 3; ++i) CHECK(inbound->batches[i] == batches[i]);
    CHECK(args.entries[0].type == RAFT_COMMAND);
    CHECK(args.entries[1].type == RAFT_BARRIER);
    CHECK(args.entries[0].term == 3);
    CHECK(args.entries[1].term == 5);
    CHECK(args.entries[2].term == 7);
}

TEST_CASE("An appended configuration is libraft's own encoding", "[raft][message]") {
    const std::string configuration = encode_configuration({1, 2, 3});
    const auto entry = make_entry(EntryKind::change, 4, 20, configuration, 0);
    const std::string payload = append_payload({entry});
    const auto inbound = decode_message(kFrom, RAFT_APPEND_ENTRIES, payload);
    REQUIRE(inbound);
    const raft_entry& got = inbound->entries[0];
    CHECK(got.type == RAFT_CHANGE);
    CHECK(std::string_view(static_cast<const char*>(got.buf.base), got.buf.len) == configuration);
}

TEST_CASE("Entries are refused as soon as one of them is not right", "[raft][message]") {
    std::vector<std::string> batches = some_batches();
    REQUIRE(accepted(batches));
    SECTION("its CRC") {
        batches[2].back() ^= 1;
    }
    SECTION("its term, below the one before") {
        set_position(batches[1], 24, 2);
    }
    SECTION("its term, below that of the entry before them all") {
        set_position(batches[0], 20, 2);
    }
    SECTION("its term, above the leader's") {
        set_position(batches[2], 24, 8);
    }
    SECTION("its term, which is none") {
        set_position(batches[0], 20, 0);
    }
    SECTION("its offset, which leaves a gap") {
        set_position(batches[2], 25, 7);
    }
    SECTION("its length, beyond the end") {
        batches[2][10] = 0x7f;
    }
    SECTION("its end") {
        batches[2].pop_back();
    }
    SECTION("bytes behind the last") {
        batches[2].push_back('x');
    }
    SECTION("its configuration") {
        const std::string broken = encode_configuration({1, 2, 3}).substr(0, 20);
        batches = {make_entry(EntryKind::change, 7, 20, broken, 0)};
    }
    CHECK_FALSE(accepted(batches));
}

TEST_CASE("A count of entries that cannot be is refused before memory is taken",
          "[raft][message]") {
    const raft_message message = append_message(0xffff'ffff);
    CHECK_FALSE(decode(message, encoded(message)));
    CHECK_FALSE(decode(message, encoded(message) + some_batches()[0]));
}

TEST_CASE("A snapshot brings the configuration and where the log begins", "[raft][message]") {
    const raft_message message = snapshot_message();
    const std::string configuration = encode_configuration({1, 2, 3});
    const std::string payload = encoded(message, {configuration, 1234});
    const auto inbound = decode(message, payload);
    REQUIRE(inbound);
    CHECK(inbound->message.install_snapshot.last_index == 100);
    CHECK(inbound->message.install_snapshot.last_term == 8);
    CHECK(inbound->snapshot.next_offset == 1234);
    CHECK(inbound->snapshot.configuration == configuration);
    CHECK(voters_of(inbound->snapshot.configuration) == std::vector<NodeId>{1, 2, 3});
    CHECK_FALSE(decode(message, encoded(message, {configuration, -1})));
    CHECK_FALSE(decode(message, encoded(message, {"", 1234})));
}

TEST_CASE("A message of no term, of one too high or of no known type is refused",
          "[raft][message]") {
    raft_message message{};
    message.type = RAFT_TIMEOUT_NOW;
    message.timeout_now = {1, 6, 12, 5};
    const std::string payload = encoded(message);
    CHECK_FALSE(decode_message(kFrom, 0, payload));
    CHECK_FALSE(decode_message(kFrom, 7, payload));
    CHECK_FALSE(decode_message(0, RAFT_TIMEOUT_NOW, payload));
    message.timeout_now.term = 0;
    CHECK_FALSE(decode(message, encoded(message)));
    message.timeout_now.term = kMostTerm + 1;
    CHECK_FALSE(decode(message, encoded(message)));
}

TEST_CASE("No part of a message and no changed byte makes the decoder read beyond it",
          "[raft][message]") {
    const std::uint64_t seed = property::from_environment("INSYNC_SEED", 1);
    INFO("replay with INSYNC_SEED=" << seed);
    property::Random random(seed);
    const std::string whole[] = {append_payload(some_batches()),
                                 encoded(snapshot_message(), {encode_configuration({1, 2}), 5})};
    for (const std::string& payload : whole) {
        const auto type = static_cast<std::uint8_t>(&payload == &whole[0] ? RAFT_APPEND_ENTRIES
                                                                          : RAFT_INSTALL_SNAPSHOT);
        for (std::size_t size = 0; size < payload.size(); ++size) {
            const std::string part = payload.substr(0, size); // its own memory, for sanitizers
            CHECK_FALSE((type == RAFT_APPEND_ENTRIES && decode_message(kFrom, type, part)));
            (void)decode_message(kFrom, type, part);
        }
        for (int i = 0; i < 20'000; ++i) {
            std::string changed = payload;
            for (std::uint64_t n = random.below(4) + 1; n > 0; --n)
                changed[random.below(changed.size())] = static_cast<char>(random.below(256));
            for (std::uint8_t t = 0; t < 8; ++t) (void)decode_message(kFrom, t, changed);
        }
    }
}

TEST_CASE("Frames carry their length, group and type", "[raft][message]") {
    std::string out;
    {
        const FrameWriter frame(out, 0x01020304, RAFT_TIMEOUT_NOW);
        out += "abc";
    }
    { const FrameWriter frame(out, 5, RAFT_REQUEST_VOTE); }
    CHECK(out.substr(0, 12) == std::string("\0\0\0\x08\1\2\3\4\6abc", 12));
    std::string seen;
    CHECK(simulation::for_each_frame(out, [&](GroupId group, int type, std::string_view payload) {
        seen += std::to_string(group) + "/" + std::to_string(type) + ":" + std::string(payload);
    }));
    CHECK(seen == "16909060/6:abc5/3:");
}

TEST_CASE("A configuration that libraft could not decode is told by its bytes",
          "[raft][configuration]") {
    const std::string good = encode_configuration({3, 1, 2});
    CHECK(voters_of(good) == std::vector<NodeId>{3, 1, 2});
    CHECK_FALSE(voters_of(""));
    CHECK_FALSE(voters_of(good.substr(0, 9)));
    std::string other_format = good;
    other_format[0] = 2;
    CHECK_FALSE(voters_of(other_format));
    std::string many = good;
    many[8] = '\x7f'; // the count's highest byte
    CHECK_FALSE(voters_of(many));
    std::string twice = good;
    twice[28] = '3'; // the second one's address, which becomes the first one's
    CHECK_FALSE(voters_of(twice));
    CHECK_THROWS_AS(decode_configuration(twice), RaftError);
    CHECK_THROWS_AS(encode_configuration({1, 1}), RaftError);
    CHECK_THROWS_AS(encode_configuration({0}), RaftError);
}

TEST_CASE("A group's file is read as it was written, or not at all", "[raft][meta]") {
    const GroupMeta meta{.term = 9,
                         .vote = 3,
                         .snapshot_index = 100,
                         .snapshot_term = 8,
                         .snapshot_offset = 4000,
                         .configuration_index = 1,
                         .configuration = encode_configuration({1, 2, 3}),
                         .restarting = true};
    const std::string bytes = meta.encode();
    CHECK(GroupMeta::decode(bytes) == meta);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        CHECK_FALSE(GroupMeta::decode(std::string_view(bytes).substr(0, i)));
        std::string changed = bytes;
        changed[i] ^= 0x10;
        CHECK_FALSE(GroupMeta::decode(changed));
    }
}
