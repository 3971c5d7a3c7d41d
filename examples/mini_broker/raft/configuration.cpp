#include "raft/configuration.hpp"

#include "raft/raft_error.hpp"

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace mini_broker {
namespace {

constexpr char kFormat = 1;
// Far above what a group has; a list of servers is searched from its start for each of them.
constexpr std::uint64_t kMostServers = 64;

/// Reads what libraft has written, which is little-endian.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::optional<std::uint8_t> byte() {
        if (rest_.empty()) return std::nullopt;
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    std::optional<std::uint64_t> number() {
        if (rest_.size() < 8) return std::nullopt;
        const auto* const at = reinterpret_cast<const unsigned char*>(rest_.data());
        const std::uint64_t value = boost::endian::load_little_u64(at);
        rest_.remove_prefix(8);
        return value;
    }
    std::optional<std::string_view> text() {
        const std::size_t end = rest_.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view value = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return value;
    }

private:
    std::string_view rest_;
};

struct Owned {
    raft_configuration configuration{};
    Owned() { raft_configuration_init(&configuration); }
    ~Owned() { raft_configuration_close(&configuration); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
};

} // namespace

std::string encode_configuration(const std::vector<NodeId>& voters) {
    Owned owned;
    for (const NodeId voter : voters) {
        if (voter <= 0) throw RaftError("a voter's id is not positive");
        // Links are found by id; libraft only wants addresses to differ.
        const std::string address = std::to_string(voter);
        if (raft_configuration_add(&owned.configuration, static_cast<raft_id>(voter),
                                   address.c_str(), RAFT_VOTER) != 0)
            throw RaftError("a voter is listed twice");
    }
    raft_buffer buffer{};
    if (raft_configuration_encode(&owned.configuration, &buffer) != 0)
        throw RaftError("a configuration could not be encoded");
    std::string bytes(static_cast<const char*>(buffer.base), buffer.len);
    raft_free(buffer.base);
    return bytes;
}

std::optional<std::vector<NodeId>> voters_of(std::string_view configuration) {
    Reader reader(configuration);
    const auto format = reader.byte();
    const auto count = reader.number();
    if (format != std::uint8_t{kFormat} || !count || *count == 0 || *count > kMostServers)
        return std::nullopt;
    std::vector<NodeId> voters;
    std::vector<NodeId> servers;
    std::vector<std::string_view> addresses; // libraft refuses one that comes twice
    for (std::uint64_t i = 0; i < *count; ++i) {
        const auto id = reader.number();
        constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<NodeId>::max());
        if (!id || *id == 0 || *id > kMost) return std::nullopt;
        const auto address = reader.text();
        if (!address) return std::nullopt;
        const auto role = reader.byte();
        if (!role || *role > RAFT_SPARE) return std::nullopt;
        const auto node = static_cast<NodeId>(*id);
        if (std::find(servers.begin(), servers.end(), node) != servers.end() ||
            std::find(addresses.begin(), addresses.end(), *address) != addresses.end())
            return std::nullopt;
        servers.push_back(node);
        addresses.push_back(*address);
        if (*role == RAFT_VOTER) voters.push_back(node);
    }
    if (voters.empty()) return std::nullopt;
    return voters;
}

raft_configuration decode_configuration(std::string_view configuration) {
    raft_configuration decoded{};
    const raft_buffer buffer{const_cast<char*>(configuration.data()), configuration.size()};
    if (raft_configuration_decode(&buffer, &decoded) != 0)
        throw RaftError("a configuration could not be decoded");
    return decoded;
}

} // namespace mini_broker
