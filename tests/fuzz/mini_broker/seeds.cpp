// Writes inputs to begin with: real frames, and messages and files of every kind as this program's
// own encoders make them. A format that changes so keeps its fuzz targets of use.
//
//   fuzz_seeds DIRECTORY    a directory in it for each target

#include "cluster/node_messages.hpp"
#include "kafka/header.hpp"
#include "log/partition_log.hpp"
#include "log/producers.hpp"
#include "log/segment_index.hpp"
#include "mini_broker/commands.hpp"
#include "mini_broker/log/batches.hpp"
#include "mini_broker/log/memory_disk.hpp"
#include "net/hello.hpp"
#include "raft/configuration.hpp"
#include "raft/group_meta.hpp"
#include "raft/message.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace mini_broker;

class Seeds {
public:
    explicit Seeds(std::filesystem::path directory) : directory_(std::move(directory)) {}

    /// `choice` is what the target draws first.
    void add(const std::string& target, std::string_view choice, std::string_view bytes) {
        const auto folder = directory_ / target;
        std::filesystem::create_directories(folder);
        std::ofstream file(folder / fmt::format("seed{}", count_[target]++), std::ios::binary);
        file << choice << bytes;
        file.close();
        if (!file) throw std::runtime_error(fmt::format("{}: cannot be written", folder.string()));
    }
    [[nodiscard]] std::size_t count() const {
        std::size_t sum = 0;
        for (const auto& [target, seeds] : count_) sum += seeds;
        return sum;
    }

private:
    std::filesystem::path directory_;
    std::map<std::string, std::size_t> count_;
};

std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return bytes;
}

std::string prefixed(std::string_view frame) {
    std::string bytes;
    const std::size_t begun = kafka::begin_frame(bytes);
    bytes += frame;
    kafka::end_frame(begun, bytes);
    return bytes;
}

/// A response's body behind the header of its request.
std::string as_body(std::string_view request, std::string_view response) {
    const auto header = kafka::parse_header(request);
    if (!header || !header->accepted())
        throw std::runtime_error("a recorded request is of no known version");
    std::string bytes{request.substr(0, request.size() - header->body.size())};
    std::string skipped;
    kafka::append_response_header(header->api->key, header->api_version, 0, skipped);
    bytes += response.substr(skipped.size());
    return bytes;
}

/// What clients and Apache Kafka said to each other.
void add_requests(Seeds& seeds, const std::filesystem::path& recorded) {
    std::ifstream file(recorded);
    std::string stream;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream words(line);
        std::string client, api, version, request, response;
        words >> client >> api >> version >> request >> response;
        const std::string frame = from_hex(request);
        seeds.add("kafka_request", "", frame);
        seeds.add("kafka_request", "", as_body(frame, from_hex(response)));
        if (client == "kcat") stream += prefixed(frame);
    }
    if (stream.empty())
        throw std::runtime_error(fmt::format("{}: no frame in it", recorded.string()));
    // The least and the most that a frame may have, and the sizes of the pieces.
    seeds.add("frames", std::string_view("\x08\xff\xff\x03\x00\x10\x40", 7), stream);
    seeds.add("frames", std::string_view("\x00\x00\x10\x00", 4), stream);
}

std::vector<std::string> batches() {
    return {
        log_test::make_batch({.base_offset = 0, .records = 4}),
        make_entry(EntryKind::barrier, 1, 4, {}, 1000),
        log_test::make_batch({.base_offset = 4, .producer = 7, .epoch = 0, .first_sequence = 0}),
        make_entry(EntryKind::change, 1, 5, encode_configuration({1, 2, 3}), 1000),
        make_entry(EntryKind::command, 1, 5, encode(cluster_test::one_of_each().back()), 9)};
}

void add_batches(Seeds& seeds) {
    std::string all;
    for (const std::string& batch : batches()) {
        all += batch;
        for (const char mode : {'\0', '\1', '\2'})
            seeds.add("record_batch", std::string_view(&mode, 1), batch);
    }
    seeds.add("record_batch", std::string_view("\1", 1), all);
    seeds.add("record_batch", "\3", "\1\2\3\4\5\6\7payload");
}

void add_commands(Seeds& seeds) {
    std::string log;
    for (const Command& command : cluster_test::one_of_each()) {
        const std::string bytes = encode(command);
        std::string entry{"\0", 1}; // bytes, their length before them
        entry.push_back(static_cast<char>(bytes.size() >> 8));
        entry.push_back(static_cast<char>(bytes.size()));
        entry += bytes;
        seeds.add("metadata_log", "", entry);
        log += entry;
        seeds.add("peer_message", "\2", encode(ForwardedCommand{7, bytes}));
    }
    seeds.add("metadata_log", "", log);
    const CommandResult result{kafka::Error::policy_violation, "No.", 5};
    seeds.add("peer_message", "\3", encode(ForwardedResult{7, 9, result}));
}

void add_raft(Seeds& seeds) {
    const std::string configuration = encode_configuration({1, 2, 3});
    Producers producers;
    producers.note({7, 0, 0, 3}, 5, 0, 1000);
    const std::string known = producers.encode();
    for (int type = RAFT_APPEND_ENTRIES; type <= RAFT_TIMEOUT_NOW; ++type) {
        raft_message message{};
        message.type = static_cast<raft_message_type>(type);
        std::string payload;
        switch (message.type) {
        case RAFT_REQUEST_VOTE: message.request_vote = {2, 5, 3, 9, 4, true, false}; break;
        case RAFT_REQUEST_VOTE_RESULT: message.request_vote_result.term = 5; break;
        case RAFT_APPEND_ENTRIES:
            message.append_entries = {
                1, 5, 10, 1, 9, nullptr, static_cast<unsigned>(batches().size())};
            break;
        case RAFT_APPEND_ENTRIES_RESULT: message.append_entries_result.term = 5; break;
        case RAFT_INSTALL_SNAPSHOT:
            message.install_snapshot.term = 9;
            message.install_snapshot.last_index = 100;
            message.install_snapshot.last_term = 8;
            message.install_snapshot.conf_index = 1;
            break;
        default: message.timeout_now.term = 5;
        }
        encode_message(message, {configuration, 12, known}, payload);
        if (message.type == RAFT_APPEND_ENTRIES)
            for (const std::string& batch : batches()) payload += batch;
        const char choice[] = {'\1', static_cast<char>(type)};
        seeds.add("peer_message", std::string_view(choice, 2), payload);
    }
    seeds.add("peer_message", "\4", configuration);
    seeds.add("peer_message", "\5", encode(Hello{2, cluster_hash("test")}));
}

void add_files(Seeds& seeds) {
    log_test::MemoryDisk disk;
    PartitionLog log{disk, "g", {.segment_bytes = 200}};
    for (const std::string& batch : batches()) log.append(batch);
    const auto sync = log.begin_sync();
    sync->work();
    (void)log.end_sync(*sync);
    log.drop_upto(2);
    for (const std::string& name : disk.list("g")) {
        const std::string& bytes = disk.bytes_of("g/" + name);
        if (name.ends_with(".index")) seeds.add("stored_files", std::string("\0\1", 2), bytes);
        if (name == "start") seeds.add("stored_files", "\3\1", bytes);
    }
    seeds.add("stored_files", std::string("\1\0", 2), log.producers().encode());
    const GroupMeta meta{.term = 5,
                         .vote = 2,
                         .configuration_index = 1,
                         .configuration = encode_configuration({1, 2, 3})};
    seeds.add("stored_files", "\2\1", meta.encode());
    seeds.add("stored_files", "\4\1", std::string(36, '\7'));
    std::string tape;
    for (int i = 0; i < 256; ++i) tape.push_back(static_cast<char>(i * 37));
    seeds.add("log_recovery", "", tape);
    for (const char* const target : {"config", "manager_inputs", "model"})
        seeds.add(target, "", tape + tape);
}

/// One thing wrong in each and all else right, where a decoder alone could tell.
void add_near_misses(Seeds& seeds) {
    std::string older = log_test::make_batch({});
    constexpr std::size_t kMagic = 16; // before what the checksum is over
    older[kMagic] = 1;
    seeds.add("record_batch", std::string_view("\0", 1), older);

    raft_message message{};
    message.type = RAFT_APPEND_ENTRIES;
    message.append_entries = {1, 5, 10, 1, 9, nullptr, 2};
    std::string falling;
    encode_message(message, {}, falling);
    falling += log_test::make_batch({.base_offset = 0, .term = 3});
    falling += log_test::make_batch({.base_offset = 1, .term = 2});
    const char choice[] = {'\0', static_cast<char>(RAFT_APPEND_ENTRIES)};
    seeds.add("peer_message", std::string_view(choice, 2), falling);

    // One byte shorter than the least that is asked for.
    seeds.add("frames", std::string_view("\4\xff\xff\0", 4), std::string_view("\0\0\0\3abc", 7));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: fuzz_seeds DIRECTORY\n");
        return EXIT_FAILURE;
    }
    Seeds seeds{argv[1]};
    const auto tests = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    try {
        add_requests(seeds, tests / "mini_broker" / "kafka_frames.txt");
        add_batches(seeds);
        add_commands(seeds);
        add_raft(seeds);
        add_files(seeds);
        add_near_misses(seeds);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fuzz_seeds: {}\n", error.what());
        return EXIT_FAILURE;
    }
    fmt::print("{} seeds\n", seeds.count());
    return EXIT_SUCCESS;
}
