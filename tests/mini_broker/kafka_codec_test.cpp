#include "mini_broker/kafka_messages.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace kafka_messages;
using namespace std::string_literals;
using property::from_environment;
using property::Random;

std::uint64_t seed() {
    return from_environment("INSYNC_SEED", 20'260'801);
}

template <class Message>
std::string name(int version) {
    return fmt::format("{} v{}, {} bytes in memory", api(Message::kApi).name, version,
                       sizeof(Message));
}

TEST_CASE("Every message with its defaults survives every version", "[kafka]") {
    int messages = 0;
    for_each_message([&]<class Message>(int version) {
        INFO(name<Message>(version));
        const std::string bytes = encoded(Message{}, version);
        const auto read = decoded<Message>(bytes, version);
        REQUIRE(read);
        CHECK(encoded(*read, version) == bytes);
        ++messages;
    });
    CHECK(messages == 2 * 141);
}

TEST_CASE("Every message with any content survives every version", "[kafka]") {
    INFO("INSYNC_SEED=" << seed());
    Random random(seed());
    for (int round = 0; round < 50; ++round) {
        for_each_message([&]<class Message>(int version) {
            const auto message = drawn<Message>(random, version);
            const std::string bytes = encoded(message, version);
            const auto read = decoded<Message>(bytes, version);
            if (!read || *read != message) FAIL("lost something: " << name<Message>(version));
            // What comes after a message is of no concern.
            const std::string more = bytes + '\x7f';
            const auto longer = decoded<Message>(more, version);
            if (!longer || *longer != message) FAIL("trailing byte: " << name<Message>(version));
        });
    }
}

TEST_CASE("A message that ends early is refused wherever it ends", "[kafka]") {
    INFO("INSYNC_SEED=" << seed());
    Random random(seed());
    for (int round = 0; round < 3; ++round) {
        for_each_message([&]<class Message>(int version) {
            const std::string bytes = encoded(drawn<Message>(random, version), version);
            for (std::size_t size = 0; size < bytes.size(); ++size) {
                // A copy of its own, so that a sanitizer sees a read beyond the end.
                const std::vector<char> part(bytes.begin(),
                                             bytes.begin() + static_cast<std::ptrdiff_t>(size));
                if (decoded<Message>({part.data(), part.size()}, version))
                    FAIL(name<Message>(version) << " cut at " << size << " of " << bytes.size());
            }
        });
    }
}

TEST_CASE("Bytes that were changed are refused, or read as what they then say", "[kafka]") {
    INFO("INSYNC_SEED=" << seed());
    Random random(seed());
    for (int round = 0; round < 40; ++round) {
        for_each_message([&]<class Message>(int version) {
            std::string bytes = encoded(drawn<Message>(random, version), version);
            for (std::uint64_t i = 1 + random.below(4); i > 0 && !bytes.empty(); --i) {
                static constexpr std::string_view kNasty("\xff\x7f\x80\x00\x01\xfe", 6);
                bytes[random.below(bytes.size())] = kNasty[random.below(kNasty.size())];
            }
            const auto read = decoded<Message>(bytes, version);
            if (!read) return;
            const std::string again = encoded(*read, version);
            const auto second = decoded<Message>(again, version);
            if (!second || encoded(*second, version) != again) FAIL(name<Message>(version));
        });
    }
}

TEST_CASE("Noise of any length is read without harm", "[kafka]") {
    INFO("INSYNC_SEED=" << seed());
    Random random(seed());
    for (int round = 0; round < 100; ++round) {
        std::string noise(random.below(200), '\0');
        for (char& c : noise) c = static_cast<char>(random.chance(30) ? 0 : random.next());
        for_each_message([&]<class Message>(int version) {
            static_cast<void>(decoded<Message>(noise, version));
        });
    }
    SUCCEED();
}

TEST_CASE("A count larger than what follows is refused before anything is allocated", "[kafka]") {
    const auto request = [](std::string_view count) { return decoded<MetadataRequest>(count, 1); };
    CHECK_FALSE(request("\x7f\xff\xff\xff"s));         // 2^31 - 1
    CHECK_FALSE(request("\xff\xff\xff\xfe"s));         // -2
    CHECK_FALSE(request("\x80\x00\x00\x00"s));         // -2^31
    CHECK_FALSE(request("\x00\x00\x00\x03\0\0\0\0"s)); // three names take six bytes at least
    REQUIRE(request("\xff\xff\xff\xff"s));
    CHECK_FALSE(request("\xff\xff\xff\xff"s)->topics);
    REQUIRE(request("\x00\x00\x00\x02\0\0\0\0"s));
    CHECK(request("\x00\x00\x00\x02\0\0\0\0"s)->topics->size() == 2);
    // Compact: the count plus one. 2^32 - 1 elements less one.
    CHECK_FALSE(decoded<MetadataRequest>("\xff\xff\xff\xff\x0f\0\0\0\0"s, 9));
}

TEST_CASE("Null stands only where Kafka has it", "[kafka]") {
    CHECK_FALSE(decoded<MetadataRequest>("\xff\xff\xff\xff"s, 0));             // topics
    CHECK_FALSE(decoded<MetadataRequest>("\0\0\0\x01\xff\xff"s, 1));           // a topic's name
    CHECK_FALSE(decoded<MetadataRequest>("\x02\x00\x00\x01\x00\x00\x00"s, 9)); // compact
    CHECK_FALSE(decoded<HeartbeatRequest>("\xff\xff\0\0\0\x01\0\0"s, 0));
    CHECK_FALSE(decoded<HeartbeatRequest>("\xff\xfe\0\0\0\x01\0\0"s, 0)); // -2 nowhere
    CHECK(decoded<HeartbeatRequest>("\0\0\0\0\0\x01\0\0\xff\xff"s, 3));
    CHECK_FALSE(decoded<HeartbeatRequest>("\0\0\0\0\0\x01\0\0\xff\xfe"s, 3));
}

TEST_CASE("A structure that may be missing says so with its first byte", "[kafka]") {
    const auto request = [](std::string_view cursor) {
        return decoded<DescribeTopicPartitionsRequest>("\x01\0\0\0\x05"s + std::string(cursor), 0);
    };
    REQUIRE(request("\xff\0"s));
    CHECK_FALSE(request("\xff\0"s)->cursor);
    REQUIRE(request("\x01\x02t\0\0\0\x07\0\0"s));
    CHECK(request("\x01\x02t\0\0\0\x07\0\0"s)->cursor == PartitionCursor{"t", 7});
    CHECK_FALSE(request("\x01\x02t\0\0\0\x07\0"s));
}

TEST_CASE("A varint takes five bytes and 32 bits at most", "[kafka]") {
    // The name in ApiVersions v3, then an empty version and no tags.
    const auto request = [](const std::string& length) {
        return decoded<ApiVersionsRequest>(length + "\x01\x00"s, 3);
    };
    CHECK(request("\x01"s));
    CHECK(request("\x81\x00"s)); // longer than needed: Kafka takes it
    CHECK(request("\x81\x80\x80\x80\x00"s));
    CHECK_FALSE(request("\x81\x80\x80\x80\x80\x00"s));
    CHECK_FALSE(request("\x81\x80\x80\x80\x10"s));
    CHECK_FALSE(request("\x80\x80\x80"s));
    CHECK_FALSE(request("\x00"s)); // null
    CHECK_FALSE(request("\xff\xff\xff\xff\x0f"s));
}

TEST_CASE("Tagged fields are skipped when unknown and refused when they overrun", "[kafka]") {
    const auto request = [](const std::string& tags) {
        return decoded<ApiVersionsRequest>(
            "\x02"
            "a\x02"
            "b"s +
                tags,
            3);
    };
    CHECK(request("\x00"s));
    CHECK(request("\x01\x63\x03xyz"s));
    CHECK(request("\x02\x63\x00\x63\x00"s));  // doubled
    CHECK(request("\x02\x63\x01x\x05\x00"s)); // unordered
    CHECK_FALSE(request("\x01\x63\x04xyz"s));
    CHECK_FALSE(request("\x02\x63\x03xyz"s));
    CHECK_FALSE(request("\x01\x63\xff\xff\xff\xff\x0f"s));
    CHECK_FALSE(request("\xff\xff\xff\xff\x0f"s));
}

TEST_CASE("Of a tagged field that comes twice, the first counts", "[kafka]") {
    std::string bytes = encoded(FetchRequest{}, 15);
    REQUIRE(bytes.back() == '\0');
    bytes.pop_back();
    const std::string state = "\x01\x0d\0\0\0\x07\0\0\0\0\0\0\0\x09\0"s;
    const std::string other = "\x01\x0d\0\0\0\x08\0\0\0\0\0\0\0\x09\0"s;
    const auto read = decoded<FetchRequest>(bytes + "\x03\x2a\x00"s + state + other, 15);
    REQUIRE(read);
    CHECK(read->replica_state == ReplicaState{7, 9});
    // Its value ends where it says, whatever it would take.
    CHECK_FALSE(decoded<FetchRequest>(bytes + "\x01\x01\x04\0\0\0\x07"s, 15));
}

TEST_CASE("A produce request's records are not copied", "[kafka]") {
    ProduceRequest request;
    request.topic_data = {{"t", {{0, "records"}, {1, {}}}}};
    for (const int version : {3, 9}) {
        const std::string bytes = encoded(request, version);
        const auto read = decoded<ProduceRequest>(bytes, version);
        REQUIRE(read);
        const auto& partitions = read->topic_data.at(0).partition_data;
        REQUIRE(partitions.at(0).records == "records");
        CHECK(partitions[0].records->data() > bytes.data());
        CHECK(partitions[0].records->data() < bytes.data() + bytes.size());
        CHECK_FALSE(partitions.at(1).records);
    }
}

TEST_CASE("A few bytes cannot make a decoder allocate without bound", "[kafka]") {
    // Each topic takes the two bytes of an empty name, and a whole string and more in memory.
    const std::size_t count = 40'000;
    std::string bytes("\x00\x00\x9c\x40", 4);
    bytes.append(2 * count + 4, '\0');
    REQUIRE(sizeof(MetadataRequest::Topic) > 16 * 2);
    CHECK_FALSE(decoded<MetadataRequest>(bytes, 1));
    // An honest list of that length is taken.
    MetadataRequest request;
    request.topics.emplace(count, MetadataRequest::Topic{{}, "topic"});
    CHECK(decoded<MetadataRequest>(encoded(request, 1), 1) == request);
}

TEST_CASE("The memory of texts counts as that of elements does", "[kafka]") {
    // As many empty names as the memory allows, and one that comes on top.
    const std::string text(32'767, 't');
    const std::size_t free_and_text = (64u << 10) + 16 * (text.size() + 4);
    const std::size_t most = free_and_text / (sizeof(MetadataRequest::Topic) - 16 * 2);
    REQUIRE(most < 50'000);
    const auto read = [&](std::size_t count) {
        MetadataRequest request;
        request.topics.emplace(count, MetadataRequest::Topic{{}, ""}).back().name = text;
        return decoded<MetadataRequest>(encoded(request, 1), 1) == request;
    };
    CHECK_FALSE(read(most));
    CHECK(read(most - most / 10));
}

TEST_CASE("A string that the plain form cannot hold is cut", "[kafka]") {
    DescribeGroupsResponse response;
    response.groups.resize(1);
    response.groups[0].protocol_type.assign(40'000, 'p');
    const auto plain = decoded<DescribeGroupsResponse>(encoded(response, 4), 4);
    REQUIRE(plain);
    CHECK(plain->groups[0].protocol_type == std::string(32'767, 'p'));
    CHECK(decoded<DescribeGroupsResponse>(encoded(response, 5), 5) == response);
}

} // namespace
