#include "options.hpp"

#include "cluster/topic_rules.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace mini_broker {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

constexpr std::string_view kFooter = R"(
Addresses unless told otherwise (127.0.0.1):
  node   --listen   --raft   --metrics
     1       9092     9192        9090
     2       9093     9193        9091
     3       9094     9194        9095

Examples:
  A cluster of three, each in a terminal of its own:
    mini_broker --node-id 1
    mini_broker --node-id 2
    mini_broker --node-id 3
    kafka-topics --bootstrap-server localhost:9092 --create --topic test \
      --partitions 1 --replication-factor 3 --config min.insync.replicas=2
    curl localhost:9090/metrics
  A node alone:
    mini_broker --node-id 1 --peers 1=127.0.0.1:9192

Environment, each with a flag that wins over it:
  CHRONIK_ISR_MAX_LAG_ENTRIES    --isr-max-lag-entries
  CHRONIK_ISR_MAX_LAG_MS         --isr-max-lag-ms
  CHRONIK_ISR_CHECK_INTERVAL_MS  --isr-check-interval-ms
  CHRONIK_MIN_INSYNC_REPLICAS    --min-insync-replicas
)";

/// A mistake of the one who starts the program.
struct Mistake : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Defaults {
    NodeId node;
    std::uint16_t listen;
    std::uint16_t raft;
    std::uint16_t metrics;
};
constexpr std::array kDefaults{Defaults{1, 9092, 9192, 9090}, Defaults{2, 9093, 9193, 9091},
                               Defaults{3, 9094, 9194, 9095}};

/// As they stand on the command line; what is empty or 0 was not given.
struct Flags {
    std::string listen;
    std::string advertised;
    std::string raft;
    std::string metrics;
    std::vector<std::string> peers;
    bool non_loopback = false;
    std::int64_t heartbeat = 300;
    std::int64_t election_timeout = 1500;
    std::int64_t max_lag_entries = 0;
    std::int64_t max_lag_ms = 0;
    std::int64_t check_interval = 0;
    std::int64_t min_isr = 0;
    std::int64_t quorum_contact = 3000;
};

constexpr std::array kMinIsrErrors{std::pair{"documented", MinIsrError::documented},
                                   std::pair{"exact", MinIsrError::exact}};
constexpr std::array kLogFormats{std::pair{"text", LogFormat::text},
                                 std::pair{"json", LogFormat::json}};
constexpr std::array kLogLevels{
    std::pair{"debug", LogLevel::debug}, std::pair{"info", LogLevel::info},
    std::pair{"warn", LogLevel::warn}, std::pair{"error", LogLevel::error}};

/// Takes one of the names, and sets the value that stands beside it.
template <class Names, class Value>
void add_choice(CLI::App& app,
                const std::string& flag,
                Value& value,
                const Names& names,
                const std::string& text) {
    std::vector<std::string> legal;
    for (const auto& [name, its] : names) legal.emplace_back(name);
    const auto set = [&value, &names](const std::string& chosen) {
        for (const auto& [name, its] : names)
            if (chosen == name) value = its;
    };
    app.add_option_function<std::string>(flag, set, text)->check(CLI::IsMember(legal));
}

void add_network_flags(CLI::App& app, Options& options, Flags& flags) {
    app.add_option("--node-id", options.node_id, "This node's id")
        ->required()
        ->check(CLI::Range(std::int64_t{1}, kMost));
    app.add_option("--listen", flags.listen, "HOST:PORT for Kafka clients");
    app.add_option("--advertised-listener", flags.advertised,
                   "HOST:PORT that clients are told to connect to; that of --listen unless given");
    app.add_option("--raft", flags.raft,
                   "HOST:PORT for the other nodes; this node's of --peers unless given");
    app.add_option("--peers", flags.peers,
                   "ID=HOST:PORT of the Raft links of every node, this one included, with commas "
                   "between; the same on every node. Three nodes unless given")
        ->delimiter(',');
    app.add_option("--metrics", flags.metrics, "HOST:PORT for /metrics, /api/isr and /health");
    app.add_flag("--allow-non-loopback", flags.non_loopback,
                 "Allow addresses that other machines reach. Everything here is unauthenticated "
                 "and unencrypted: whoever reaches a port may read, write and delete all data");
}

void add_broker_flags(CLI::App& app, Options& options, Flags& flags) {
    app.add_option("--data", options.data, "Directory; ./mini_broker-data/node-ID unless given");
    app.add_option("--rack", options.rack,
                   "Rack; consumers of the same one may read here (KIP-392)");
    add_choice(app, "--min-isr-error", options.min_isr_error, kMinIsrErrors,
               "What a write gets for which too few replicas are in sync: 20 always "
               "(documented), or 19 before and 20 after the append (exact)");
    app.add_flag("--auto-create-topics,!--no-auto-create-topics", options.auto_create_topics,
                 "Create topics when clients ask for their metadata (on unless told otherwise)");
    app.add_option("--default-partitions", options.default_partitions, "Partitions of such topics")
        ->check(CLI::Range(1, static_cast<int>(kMostPartitions)));
    app.add_option("--default-replication-factor", options.default_replication_factor,
                   "Replicas of such topics; at most as many as there are nodes")
        ->check(CLI::Range(1, static_cast<int>(insync::kMaxReplicas)));
    app.add_option("--segment-bytes", options.segment_bytes, "Size of a log file")
        ->check(CLI::Range(std::uint64_t{4096}, std::uint64_t{1} << 30));
    app.add_option("--heartbeat-ms", flags.heartbeat, "Between a Raft leader's heartbeats")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{60'000}));
    app.add_option("--election-timeout-ms", flags.election_timeout,
                   "A follower that hears of no leader for once to twice this stands for election; "
                   "more than --heartbeat-ms")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{600'000}));
    add_choice(app, "--log-format", options.log_format, kLogFormats,
               "Log lines on standard error: text or json");
    add_choice(app, "--log-level", options.log_level, kLogLevels,
               "The least that is logged: debug to error");
}

void add_limit_flags(CLI::App& app, Options& options) {
    ConnectionLimits& limits = options.connections;
    const auto add = [&](const char* name, auto& value, std::uint64_t least, std::uint64_t most,
                         const char* text) {
        app.add_option(name, value, text)->check(CLI::Range(least, most))->group("Limits");
    };
    constexpr std::uint64_t kCount = 1'000'000;
    add("--max-connections", limits.max_connections, 1, kCount, "Clients' connections (1000)");
    add("--max-connections-per-address", limits.max_per_host, 1, kCount,
        "Those from one address (500)");
    add("--max-request-bytes", limits.max_frame, 1024, ConnectionLimits::kHardMaxFrame,
        "Size of a request (16 MiB)");
    add("--max-connection-memory", limits.max_held, 1u << 20, std::uint64_t{1} << 40,
        "Bytes that all connections hold: requests, and answers that are not sent (256 MiB)");
    add("--max-waits", options.max_waits, 1, kCount,
        "Requests that wait for replicas or for more to read (10000)");
    add("--max-partitions", options.max_partitions, 1, kMostPartitions,
        "Partitions of all topics (4000)");
}

void add_isr_flags(CLI::App& app, Flags& flags) {
    const auto add = [&](const char* name, std::int64_t& value, std::int64_t most,
                         const char* text) {
        app.add_option(name, value, text)->check(CLI::Range(std::int64_t{1}, most))->group("ISR");
    };
    add("--isr-max-lag-entries", flags.max_lag_entries, std::numeric_limits<std::int64_t>::max(),
        "Most entries that a replica in sync lacks (10000)");
    add("--isr-max-lag-ms", flags.max_lag_ms, kMost,
        "Longest since a replica in sync held all that its leader had (10000)");
    add("--isr-check-interval-ms", flags.check_interval, kMost, "Between two checks (1000)");
    add("--min-insync-replicas", flags.min_isr, kMost,
        "Replicas in sync that a write with acks=all needs, unless its topic says (2)");
    add("--quorum-contact-ms", flags.quorum_contact, kMost,
        "A leader refuses writes after so long without a majority (3000)");
}

Address read_address(std::string_view flag, std::string_view text) {
    const auto address = parse_address(text);
    if (!address) throw Mistake{fmt::format("{} is '{}'; it must be HOST:PORT", flag, text)};
    return *address;
}

std::map<NodeId, Address> read_peers(const std::vector<std::string>& texts) {
    std::map<NodeId, Address> peers;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        const auto address =
            equals == std::string::npos ? std::nullopt : parse_address(text.substr(equals + 1));
        std::int64_t node = 0;
        if (address) {
            const char* const end = text.data() + equals;
            const auto read = std::from_chars(text.data(), end, node);
            if (read.ec != std::errc{} || read.ptr != end || node > kMost) node = 0;
        }
        if (node < 1) throw Mistake{fmt::format("--peers has '{}'; it must be ID=HOST:PORT", text)};
        if (!peers.emplace(node, *address).second)
            throw Mistake{fmt::format("--peers names node {} twice", node)};
    }
    if (peers.size() > insync::kMaxReplicas)
        throw Mistake{fmt::format("--peers has {} nodes; at most {} are possible", peers.size(),
                                  insync::kMaxReplicas)};
    return peers;
}

Address with_default(std::string_view flag,
                     const std::string& text,
                     NodeId node,
                     std::uint16_t Defaults::* port) {
    if (!text.empty()) return read_address(flag, text);
    for (const Defaults& each : kDefaults)
        if (each.node == node) return {"127.0.0.1", each.*port};
    throw Mistake{fmt::format("{} must be given, as only nodes 1 to 3 have a default", flag)};
}

void set_addresses(Options& options, const Flags& flags) {
    const NodeId self = options.node_id;
    options.peers = read_peers(flags.peers);
    if (flags.peers.empty())
        for (const Defaults& each : kDefaults)
            options.peers.emplace(each.node, Address{"127.0.0.1", each.raft});
    if (!options.peers.contains(self))
        throw Mistake{fmt::format("--peers must name this node, {}, too", self)};
    options.listen = with_default("--listen", flags.listen, self, &Defaults::listen);
    options.metrics = with_default("--metrics", flags.metrics, self, &Defaults::metrics);
    options.raft = flags.raft.empty() ? options.peers.at(self) : read_address("--raft", flags.raft);
    options.advertised = flags.advertised.empty()
                             ? options.listen
                             : read_address("--advertised-listener", flags.advertised);
    if (options.advertised.host == "0.0.0.0" || options.advertised.host == "::")
        throw Mistake{"--advertised-listener must be given, as no client can connect to " +
                      options.advertised.host};
    for (const auto& [flag, address] : {std::pair{"--listen", options.listen},
                                        {"--raft", options.raft},
                                        {"--metrics", options.metrics}})
        if (!flags.non_loopback && !is_loopback(address))
            throw Mistake{
                fmt::format("{} is {}, which other machines may reach; as everything "
                            "here is unauthenticated, that needs --allow-non-loopback",
                            flag, to_string(address))};
}

void set_isr(Options& options,
             const Flags& flags,
             const std::function<const char*(const char*)>& getenv) {
    std::set<std::string_view> by_flag;
    const auto take = [&](std::int64_t flag, std::string_view variable, auto&& set) {
        if (flag == 0) return;
        by_flag.insert(variable);
        set(flag);
    };
    insync::IsrConfig base;
    take(flags.max_lag_entries, "CHRONIK_ISR_MAX_LAG_ENTRIES",
         [&](std::int64_t value) { base.max_lag_entries = static_cast<Index>(value); });
    take(flags.max_lag_ms, "CHRONIK_ISR_MAX_LAG_MS",
         [&](std::int64_t value) { base.max_lag_ms = Millis{value}; });
    take(flags.check_interval, "CHRONIK_ISR_CHECK_INTERVAL_MS",
         [&](std::int64_t value) { base.check_interval_ms = Millis{value}; });
    take(flags.min_isr, "CHRONIK_MIN_INSYNC_REPLICAS",
         [&](std::int64_t value) { base.min_insync_replicas = static_cast<int>(value); });
    base.quorum_contact_ms = Millis{flags.quorum_contact};
    const auto result = insync::from_environment(
        [&](const char* variable) -> const char* {
            return by_flag.contains(variable) ? nullptr : getenv(variable);
        },
        base);
    if (result.error) throw Mistake{result.error->what};
    options.isr = result.config;
}

} // namespace

OptionsResult parse_options(int argc,
                            const char* const* argv,
                            const std::function<const char*(const char*)>& getenv) {
    Options options;
    Flags flags;
    CLI::App app{"A small Kafka-compatible broker on Raft, with in-sync replicas by insync.",
                 "mini_broker"};
    app.footer(std::string{kFooter});
    add_network_flags(app, options, flags);
    add_broker_flags(app, options, flags);
    add_limit_flags(app, options);
    add_isr_flags(app, flags);
    try {
        app.parse(argc, argv);
        if (flags.election_timeout <= flags.heartbeat)
            throw Mistake{"--election-timeout-ms must be more than --heartbeat-ms"};
        options.heartbeat = Millis{flags.heartbeat};
        options.election_timeout = Millis{flags.election_timeout};
        if (options.data.empty())
            options.data = fmt::format("./mini_broker-data/node-{}", options.node_id);
        set_addresses(options, flags);
        set_isr(options, flags, getenv);
        options.default_replication_factor =
            std::min(options.default_replication_factor, static_cast<int>(options.peers.size()));
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        const int status = app.exit(error, out, out) == 0 ? 0 : 2;
        return {std::nullopt, out.str(), status};
    } catch (const Mistake& mistake) {
        return {std::nullopt, fmt::format("mini_broker: {}\n", mistake.what()), 2};
    }
    return {std::move(options), "", 0};
}

} // namespace mini_broker
