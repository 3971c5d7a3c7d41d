#pragma once

#include "logger.hpp"
#include "net/address.hpp"
#include "net/socket.hpp"
#include "net/uv_loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mini_broker::testing {

/// Turns the loop until something holds. False if it does not within the limit, which is meant for
/// a machine that is busy: no test waits for it.
inline bool run_until(UvLoop& loop,
                      const std::function<bool()>& holds,
                      Millis limit = Millis{10'000}) {
    const auto waiting = std::make_shared<bool>(true);
    bool held = false;
    const auto hook = loop.at_end_of_turn([&] {
        held = held || holds();
        if (held) loop.stop();
    });
    loop.after(limit, [&loop, waiting] {
        if (*waiting) loop.stop();
    });
    loop.run();
    *waiting = false;
    loop.remove_hook(hook);
    return held;
}

/// Runs the loop for a time, where a test is about something that must not happen.
inline void run_for(UvLoop& loop, Millis time) {
    run_until(loop, [] { return false; }, time);
}

inline Address loopback(std::uint16_t port) {
    return {"127.0.0.1", port};
}

/// A length in four bytes, then the bytes.
inline std::string framed(std::string_view bytes) {
    std::string frame;
    for (int shift = 24; shift >= 0; shift -= 8)
        frame.push_back(static_cast<char>(bytes.size() >> shift));
    return frame.append(bytes);
}

/// The other side of a connection, byte for byte.
class RawClient {
public:
    RawClient(UvLoop& loop, std::uint16_t port, bool reading = true) : socket_(Socket::make(loop)) {
        socket_->on({.data = [this](std::string_view bytes) { received_.append(bytes); },
                     .ended = [this](std::string_view) { ended_ = true; },
                     .written = nullptr});
        const auto address = numeric(loopback(port));
        socket_->connect(address.value(), [this, reading] {
            socket_->read(reading);
            socket_->write(std::exchange(early_, {}));
            connected_ = true;
        });
    }
    ~RawClient() { socket_->close(); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string bytes) {
        if (connected_)
            socket_->write(std::move(bytes));
        else
            early_ += bytes;
    }
    void close() { socket_->close(); }
    void read(bool wanted) { socket_->read(wanted); }
    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] const std::string& received() const { return received_; }
    [[nodiscard]] std::size_t pending() const { return socket_->pending(); }

private:
    std::shared_ptr<Socket> socket_;
    std::string early_;
    std::string received_;
    bool connected_ = false;
    bool ended_ = false;
};

/// A logger that keeps its lines.
struct KeptLog {
    std::string lines;
    Logger logger{LogFormat::text, 1, LogLevel::debug,
                  [this](std::string_view line) { lines.append(line); }};
};

} // namespace mini_broker::testing
