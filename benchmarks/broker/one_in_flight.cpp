// Sends one Kafka request at a time and measures how long each answer takes.
//
//   one_in_flight WARM_UP_SECONDS SECONDS ERROR_AT  HOST:PORT FRAME_FILE [HOST:PORT FRAME_FILE]...
//
// FRAME_FILE holds one request with its length in front; the requests are sent in turn, each over a
// connection of its own. Every answer must have two zero bytes, no error, at ERROR_AT behind its
// length. Prints {"count": .., "p50_ms": .., "p99_ms": .., "max_ms": .., "seconds": ..}.
// The requests are ready before the clock starts, so that the client costs some microseconds.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestAnswer = 64 * 1024;

struct Target {
    int socket = -1;
    std::string frame;
};

int connect_to(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error(address + " is not HOST:PORT");
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1)
        throw std::runtime_error(address + " is not numeric");
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    const timeval limit{10, 0};
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("cannot connect to " + address);
    return made;
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Reads one answer; throws unless it says that there was no error.
void read_answer(int from, std::size_t error_at) {
    static std::vector<unsigned char> buffer(kLongestAnswer);
    std::size_t have = 0;
    std::size_t wanted = 4;
    while (have < wanted) {
        const ssize_t got = recv(from, buffer.data() + have, buffer.size() - have, 0);
        if (got <= 0) throw std::runtime_error("no answer within 10 s, or closed by the broker");
        have += static_cast<std::size_t>(got);
        if (have < 4) continue;
        std::size_t length = 0;
        for (std::size_t i = 0; i < 4; ++i) length = length << 8 | buffer[i];
        wanted = 4 + length;
        if (wanted > buffer.size()) throw std::runtime_error("an answer that is too long");
    }
    if (error_at + 6 > wanted) throw std::runtime_error("an answer that is too short");
    const int error = buffer[error_at + 4] << 8 | buffer[error_at + 5];
    if (error != 0) throw std::runtime_error("answered with error " + std::to_string(error));
}

double milliseconds(Clock::duration span) {
    return std::chrono::duration<double, std::milli>(span).count();
}

int run(const std::vector<std::string>& words) {
    if (words.size() < 5 || words.size() % 2 == 0) {
        std::fputs("usage: one_in_flight WARM_UP SECONDS ERROR_AT HOST:PORT FRAME_FILE...\n",
                   stderr);
        return 2;
    }
    const std::chrono::duration<double> warm_up{std::stod(words[0])};
    const std::chrono::duration<double> span{std::stod(words[1])};
    const auto error_at = static_cast<std::size_t>(std::stoul(words[2]));
    std::vector<Target> targets;
    for (std::size_t i = 3; i + 1 < words.size(); i += 2)
        targets.push_back({connect_to(words[i]), content_of(words[i + 1])});

    std::vector<double> took;
    const auto begin = Clock::now();
    for (std::size_t turn = 0;; ++turn) {
        const Target& target = targets[turn % targets.size()];
        const auto sent = Clock::now();
        if (sent - begin >= warm_up + span) break;
        const auto size = static_cast<ssize_t>(target.frame.size());
        if (send(target.socket, target.frame.data(), target.frame.size(), MSG_NOSIGNAL) != size)
            throw std::runtime_error("cannot send");
        read_answer(target.socket, error_at);
        if (sent - begin >= warm_up) took.push_back(milliseconds(Clock::now() - sent));
    }
    for (const Target& target : targets) close(target.socket);
    if (took.empty()) throw std::runtime_error("no request was answered in time");
    std::sort(took.begin(), took.end());
    std::printf(
        "{\"count\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
        "\"seconds\": %.3f}\n",
        took.size(), took[took.size() / 2], took[took.size() * 99 / 100], took.back(),
        span.count());
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "one_in_flight: %s\n", error.what());
        return 1;
    }
}
