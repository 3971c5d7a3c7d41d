#include "options.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

using namespace mini_broker;

namespace {

using Environment = std::map<std::string, std::string>;

OptionsResult parse(std::vector<std::string> arguments, const Environment& environment = {}) {
    std::vector<const char*> argv{"mini_broker"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return parse_options(static_cast<int>(argv.size()), argv.data(), [&](const char* name) {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
    });
}

Options accepted(std::vector<std::string> arguments, const Environment& environment = {}) {
    auto result = parse(std::move(arguments), environment);
    INFO(result.text);
    REQUIRE(result.options);
    return *result.options;
}

/// What is said of arguments that must be refused.
std::string refused(std::vector<std::string> arguments, const Environment& environment = {}) {
    const auto result = parse(std::move(arguments), environment);
    CHECK_FALSE(result.options);
    CHECK(result.status == 2);
    return result.text;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("Nodes 1 to 3 need nothing but their id, and agree about where they are") {
    std::set<std::uint16_t> ports;
    for (int node = 1; node <= 3; ++node) {
        const Options options = accepted({"--node-id", std::to_string(node)});
        CHECK(options.peers.size() == 3);
        CHECK(options.raft == options.peers.at(node));
        CHECK(options.advertised == options.listen);
        CHECK(options.data == "./mini_broker-data/node-" + std::to_string(node));
        for (const Address& each : {options.listen, options.raft, options.metrics}) {
            CHECK(each.host == "127.0.0.1");
            ports.insert(each.port);
        }
    }
    CHECK(ports.size() == 9);
    const Options first = accepted({"--node-id", "1"});
    CHECK(first.listen.port == 9092);
    CHECK(first.metrics.port == 9090);
    CHECK(first.isr.min_insync_replicas == 2);
    CHECK(first.min_isr_error == MinIsrError::documented);
    CHECK(first.default_replication_factor == 3);
}

TEST_CASE("Every flag is taken") {
    const Options options = accepted({"--node-id",
                                      "7",
                                      "--listen",
                                      "127.0.0.1:1",
                                      "--advertised-listener",
                                      "broker.example:2",
                                      "--raft",
                                      "[::1]:3",
                                      "--peers",
                                      "7=127.0.0.1:4,8=node-8:5",
                                      "--metrics",
                                      "127.0.0.2:0",
                                      "--data",
                                      "d",
                                      "--rack",
                                      "r",
                                      "--min-isr-error",
                                      "exact",
                                      "--no-auto-create-topics",
                                      "--default-partitions",
                                      "4",
                                      "--default-replication-factor",
                                      "5",
                                      "--segment-bytes",
                                      "8192",
                                      "--heartbeat-ms",
                                      "20",
                                      "--election-timeout-ms",
                                      "100",
                                      "--log-format",
                                      "json",
                                      "--isr-max-lag-entries",
                                      "11",
                                      "--isr-max-lag-ms",
                                      "500",
                                      "--isr-check-interval-ms",
                                      "50",
                                      "--min-insync-replicas",
                                      "3",
                                      "--quorum-contact-ms",
                                      "900",
                                      "--log-level",
                                      "debug"});
    CHECK(options.node_id == 7);
    CHECK(options.listen == Address{"127.0.0.1", 1});
    CHECK(options.advertised == Address{"broker.example", 2});
    CHECK(options.raft == Address{"::1", 3});
    CHECK(options.peers == std::map<NodeId, Address>{{7, {"127.0.0.1", 4}}, {8, {"node-8", 5}}});
    CHECK(options.metrics == Address{"127.0.0.2", 0});
    CHECK(options.data == "d");
    CHECK(options.rack == "r");
    CHECK(options.min_isr_error == MinIsrError::exact);
    CHECK_FALSE(options.auto_create_topics);
    CHECK(options.default_partitions == 4);
    CHECK(options.default_replication_factor == 2); // there are no more nodes
    CHECK(options.segment_bytes == 8192);
    CHECK(options.heartbeat == Millis{20});
    CHECK(options.election_timeout == Millis{100});
    CHECK(options.log_format == LogFormat::json);
    CHECK(options.log_level == LogLevel::debug);
    CHECK(options.isr.max_lag_entries == 11);
    CHECK(options.isr.max_lag_ms == Millis{500});
    CHECK(options.isr.check_interval_ms == Millis{50});
    CHECK(options.isr.min_insync_replicas == 3);
    CHECK(options.isr.quorum_contact_ms == Millis{900});
}

TEST_CASE("The environment sets the ISR's limits, and a flag wins over it") {
    const Environment environment{{"CHRONIK_ISR_MAX_LAG_MS", "1500"},
                                  {"CHRONIK_ISR_CHECK_INTERVAL_MS", "nonsense"},
                                  {"CHRONIK_MIN_INSYNC_REPLICAS", "1"},
                                  {"CHRONIK_ISR_MAX_LAG_ENTRIES", "77"}};
    const Options options =
        accepted({"--node-id", "1", "--isr-check-interval-ms", "100"}, environment);
    CHECK(options.isr.max_lag_ms == Millis{1500});
    CHECK(options.isr.check_interval_ms == Millis{100});
    CHECK(options.isr.min_insync_replicas == 1);
    CHECK(options.isr.max_lag_entries == 77);
}

TEST_CASE("A bad variable is an error that names it, its value and the range") {
    const std::string text = refused({"--node-id", "1"}, {{"CHRONIK_MIN_INSYNC_REPLICAS", "two"}});
    CHECK(has(text, "CHRONIK_MIN_INSYNC_REPLICAS"));
    CHECK(has(text, "'two'"));
    CHECK(has(text, "from 1 to 2147483647"));
    CHECK(has(refused({"--node-id", "1"}, {{"CHRONIK_ISR_MAX_LAG_MS", "1999"}}),
              "at least twice check_interval_ms"));
}

TEST_CASE("An address that other machines reach is refused without the flag for it") {
    for (const char* flag : {"--listen", "--raft", "--metrics"})
        for (const char* address : {"192.0.2.1:9092", "[::]:1", "[2001:db8::1]:1"}) {
            const std::vector<std::string> arguments{
                "--node-id", "1", flag, address, "--advertised-listener", "127.0.0.1:9092"};
            const std::string text = refused(arguments);
            CHECK(has(text, flag));
            CHECK(has(text, "unauthenticated"));
            auto allowed = arguments;
            allowed.push_back("--allow-non-loopback");
            CHECK(parse(allowed).options);
        }
    CHECK(has(refused({"--node-id", "1", "--listen", "0.0.0.0:9092", "--allow-non-loopback"}),
              "--advertised-listener"));
}

TEST_CASE("Mistakes are named") {
    CHECK(has(refused({}), "--node-id"));
    CHECK(has(refused({"--node-id", "0"}), "--node-id"));
    CHECK(has(refused({"--node-id", "1", "--nonsense"}), "--nonsense"));
    CHECK(has(refused({"--node-id", "4", "--peers", "4=localhost:1"}), "--listen must be given"));
    CHECK(has(refused({"--node-id", "4"}), "--peers must name this node"));
    CHECK(has(refused({"--node-id", "1", "--listen", "9092"}), "'9092'"));
    CHECK(has(refused({"--node-id", "1", "--listen", "localhost:70000"}), "HOST:PORT"));
    CHECK(has(refused({"--node-id", "1", "--heartbeat-ms", "1500"}), "--election-timeout-ms"));
    CHECK(has(refused({"--node-id", "1", "--min-isr-error", "maybe"}), "--min-isr-error"));
    for (const char* peers : {"1", "1=", "=a:1", "x=a:1", "1=a", "-1=a:1", "1 =a:1"})
        CHECK(has(refused({"--node-id", "1", "--peers", peers}), "--peers"));
    CHECK(has(refused({"--node-id", "1", "--peers", "1=a:1,1=b:1"}), "twice"));
}

TEST_CASE("What clients may take is told by flags, within bounds") {
    const Options usual = accepted({"--node-id", "1"});
    CHECK(usual.connections.max_per_host < usual.connections.max_connections);
    const Options told =
        accepted({"--node-id", "1", "--max-connections", "7", "--max-connections-per-address", "3",
                  "--max-request-bytes", "4096", "--max-connection-memory", "2000000",
                  "--max-waits", "9", "--max-partitions", "11"});
    CHECK(told.connections.max_connections == 7);
    CHECK(told.connections.max_per_host == 3);
    CHECK(told.connections.max_frame == 4096);
    CHECK(told.connections.max_held == 2'000'000);
    CHECK(told.max_waits == 9);
    CHECK(told.max_partitions == 11);
    for (const char* flag :
         {"--max-connections", "--max-connections-per-address", "--max-request-bytes",
          "--max-connection-memory", "--max-waits", "--max-partitions"})
        for (const char* value : {"0", "-1", "99999999999999999999"})
            CHECK(has(refused({"--node-id", "1", flag, value}), flag));
    CHECK(has(refused({"--node-id", "1", "--max-partitions", "10001"}), "--max-partitions"));
}

TEST_CASE("Help explains the flags, the addresses and how to begin") {
    const auto result = parse({"--help"});
    CHECK_FALSE(result.options);
    CHECK(result.status == 0);
    for (const char* part : {"--node-id", "unauthenticated", "CHRONIK_ISR_MAX_LAG_MS", "9094",
                             "mini_broker --node-id 3", "kafka-topics", "exact"})
        CHECK(has(result.text, part));
}
