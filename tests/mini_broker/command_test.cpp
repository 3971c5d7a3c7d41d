#include "cluster/command.hpp"

#include "cluster/node_messages.hpp"
#include "mini_broker/commands.hpp"
#include "property/random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace mini_broker;
using cluster_test::one_of_each;

namespace {

constexpr std::uint64_t kRounds = 20'000;

std::string random_bytes(property::Random& random) {
    std::string bytes(random.below(60), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    return bytes;
}

/// Some of the bytes of a message changed, left out or doubled.
std::string spoiled(property::Random& random, std::string bytes) {
    for (std::uint64_t changes = 1 + random.below(4); changes > 0 && !bytes.empty(); --changes) {
        const std::size_t at = random.below(bytes.size());
        if (random.chance(60))
            bytes[at] = static_cast<char>(random.next());
        else if (random.chance(50))
            bytes.erase(at, random.below(4));
        else
            bytes.insert(at, bytes.substr(at, random.below(9)));
    }
    return bytes;
}

} // namespace

TEST_CASE("Every command is read back as it was written", "[cluster][command]") {
    const std::vector<Command> commands = one_of_each();
    REQUIRE(commands.size() == std::variant_size_v<Command>);
    for (std::size_t i = 0; i < commands.size(); ++i) {
        REQUIRE(commands[i].index() == i);
        const std::string bytes = encode(commands[i]);
        const auto read = decode_command(bytes);
        REQUIRE(read);
        CHECK(read->index() == i);
        CHECK(encode(*read) == bytes);
    }
}

TEST_CASE("What was in a command is in what is read of it", "[cluster][command]") {
    const std::vector<Command> commands = one_of_each();
    const auto created = std::get<CreateTopic>(*decode_command(encode(commands[1])));
    CHECK(created.name == "topic");
    CHECK(created.id == std::get<CreateTopic>(commands[1]).id);
    CHECK(created.configs.at("min.insync.replicas") == "2");
    CHECK(created.replicas == std::vector<std::vector<NodeId>>{{1, 2, 3}, {2, 3, 1}});
    const auto configs = std::get<SetConfigs>(*decode_command(encode(commands[4])));
    CHECK(configs.changes.at("retention.ms") == "5");
    CHECK(!configs.changes.at("retention.bytes"));
    CHECK(configs.replace);
    const auto isr = std::get<PublishIsr>(*decode_command(encode(commands[5])));
    CHECK(isr.sets.at(0).isr == std::get<PublishIsr>(commands[5]).sets.at(0).isr);
    const auto offsets = std::get<CommitOffsets>(*decode_command(encode(commands[7])));
    CHECK(offsets.offsets.at(0).offset == 77);
    CHECK(offsets.offsets.at(0).metadata == "so far");
}

TEST_CASE("A command that is cut short is none", "[cluster][command]") {
    for (const Command& command : one_of_each()) {
        const std::string bytes = encode(command);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK(!decode_command(std::string_view{bytes}.substr(0, size)));
    }
}

TEST_CASE("Lists within lists without end are no command and no message", "[cluster][command]") {
    for (const char nest : {'\x81', '\x9f', '\xa1', '\xbf'}) {
        const std::string bytes(4'000'000, nest);
        CHECK(!decode_command(bytes));
        CHECK(!decode_forwarded_command(bytes));
        CHECK(!decode_forwarded_result(bytes));
    }
}

TEST_CASE("A list that claims to be huge is no command", "[cluster][command]") {
    using namespace std::string_literals;
    for (const std::string& claim : {"\x9b\x00\x00\x00\x7f\xff\xff\xff\xff"s, // so many elements
                                     "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                     "\x5b\x00\x00\x00\x7f\xff\xff\xff\xff"s, // or bytes
                                     "\x7b\x00\x00\x00\x7f\xff\xff\xff\xff"s, // or characters
                                     "\xbb\x00\x00\x00\x7f\xff\xff\xff\xff"s}) {
        CHECK(!decode_command(claim));
        CHECK(!decode_command("\x82\x01" + claim));
        CHECK(!decode_forwarded_command("\x82\x01" + claim));
        CHECK(!decode_forwarded_result("\x85\x01\x01\x00" + claim));
    }
}

TEST_CASE("More members than a partition can have are no command", "[cluster][command]") {
    std::string bytes = encode(one_of_each()[5]);
    const std::size_t members = bytes.rfind("\x82\x01\x02");
    REQUIRE(members != std::string::npos);
    std::string many = "\x98\xff";
    many.append(255, '\x01');
    bytes.replace(members, 3, many);
    CHECK(!decode_command(bytes));
}

TEST_CASE("Spoiled commands and messages are refused, or are read back as they are",
          "[cluster][command]") {
    const std::uint64_t seed = property::from_environment("INSYNC_SEED", 1);
    CAPTURE(seed);
    property::Random random{seed};
    const std::vector<Command> commands = one_of_each();
    std::uint64_t read = 0;
    for (std::uint64_t round = 0; round < kRounds; ++round) {
        const std::string good = encode(commands[random.below(commands.size())]);
        const std::string bytes = random.chance(30) ? random_bytes(random) : spoiled(random, good);
        if (const auto command = decode_command(bytes)) {
            ++read;
            const std::string again = encode(*command);
            const auto same = decode_command(again);
            REQUIRE(same);
            REQUIRE(encode(*same) == again);
        }
        const std::string message =
            random.chance(50)
                ? encode(ForwardedCommand{random.next(), bytes})
                : encode(ForwardedResult{random.next(), 5, {kafka::Error::none, "text", 9}});
        const std::string other = spoiled(random, message);
        (void)decode_forwarded_command(other);
        (void)decode_forwarded_result(other);
    }
    CHECK(read > kRounds / 100);
}

TEST_CASE("What one node passes on to another arrives as it was", "[cluster][messages]") {
    const std::string command = encode(one_of_each()[1]);
    const auto passed = decode_forwarded_command(encode(ForwardedCommand{1ULL << 60, command}));
    REQUIRE(passed);
    CHECK(passed->request == 1ULL << 60);
    CHECK(passed->command == command);
    const auto result = decode_forwarded_result(
        encode(ForwardedResult{42, 1ULL << 40, {kafka::Error::invalid_config, "why", -1}}));
    REQUIRE(result);
    CHECK(result->request == 42);
    CHECK(result->index == 1ULL << 40);
    CHECK(result->result.error == kafka::Error::invalid_config);
    CHECK(result->result.message == "why");
    CHECK(result->result.value == -1);
}
