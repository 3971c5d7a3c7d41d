#pragma once

#include "logger.hpp"
#include "net/address.hpp"
#include "net/connection.hpp"
#include "types.hpp"

#include <insync/config.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace mini_broker {

/// How a write is answered for which the ISR is too small.
enum class MinIsrError : std::uint8_t {
    documented, ///< 20 before and after the append, as the design documents say
    exact,      ///< 19 before, 20 after it
};

/// What the command line and the environment say, checked.
struct Options {
    NodeId node_id = 0;
    Address listen;     ///< for Kafka clients
    Address advertised; ///< what clients are told; its port is 0 where that of `listen` is
    Address raft;       ///< where this node listens for the others
    std::map<NodeId, Address> peers; ///< every node's Raft address, this one's included
    Address metrics;
    std::string data;
    std::string rack; ///< empty for none
    MinIsrError min_isr_error = MinIsrError::documented;
    bool auto_create_topics = true;
    int default_partitions = 1;
    int default_replication_factor = 3; ///< never more than there are nodes
    std::uint64_t segment_bytes = 64u << 20;
    Millis heartbeat{300};
    Millis election_timeout{1500};
    LogFormat log_format = LogFormat::text;
    LogLevel log_level = LogLevel::info;
    insync::IsrConfig isr;
    ConnectionLimits connections;
    std::size_t max_waits = 10'000;     ///< requests that wait for replicas, or for more to read
    std::size_t max_partitions = 4'000; ///< of the cluster, as far as clients may make them
};

/// Options, or what to print instead and the exit status: 0 for `--help`, 2 for a mistake.
struct OptionsResult {
    std::optional<Options> options;
    std::string text;
    int status = 0;
};

/// A flag wins over the environment variable that says the same. `getenv` is asked for the four
/// `CHRONIK_` variables (`insync::from_environment`).
[[nodiscard]] OptionsResult parse_options(int argc,
                                          const char* const* argv,
                                          const std::function<const char*(const char*)>& getenv);

} // namespace mini_broker
