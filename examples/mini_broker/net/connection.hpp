#pragma once

#include "net/ending.hpp"
#include "net/frame_buffer.hpp"
#include "net/socket.hpp"
#include "types.hpp"

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mini_broker {

/// What a handler is told of the client, and may write down for its next request.
struct ConnectionInfo {
    std::uint64_t id = 0; ///< never used twice
    std::string remote;   ///< address and port
    std::string software; ///< as the client says, once it has
    std::any state;       ///< the handler's own
};

struct Response {
    std::string bytes;        ///< without the length in front; empty sends nothing (acks=0)
    bool close_after = false; ///< ends the connection once the bytes are sent
};

/// Where answers go: the client's end of a `Connection`.
class Asker {
public:
    virtual ~Asker() = default;
    virtual void answer(std::uint64_t request, Response response) = 0;
    [[nodiscard]] virtual bool waits_for(std::uint64_t request) const noexcept = 0;
    virtual void when_gone(std::uint64_t request, std::function<void()> gone) = 0;
};

/// Answers one request: at once or later, on the loop's thread. A second answer, and one for a
/// client that has gone, are ignored.
class Reply {
public:
    Reply(std::weak_ptr<Asker> asker, std::uint64_t request) noexcept
        : asker_(std::move(asker)), request_(request) {}

    void operator()(Response response) const {
        if (const auto asker = asker_.lock()) asker->answer(request_, std::move(response));
    }
    /// Whether somebody still waits for the answer.
    [[nodiscard]] bool wanted() const noexcept {
        const auto asker = asker_.lock();
        return asker && asker->waits_for(request_);
    }
    /// Calls `gone` once if the connection ends before the answer; not at all if it has ended.
    void when_gone(std::function<void()> gone) const {
        if (const auto asker = asker_.lock()) asker->when_gone(request_, std::move(gone));
    }

private:
    std::weak_ptr<Asker> asker_;
    std::uint64_t request_;
};

/// Takes one request. `info` is valid until it returns.
using Handler = std::function<void(ConnectionInfo& info, std::string frame, Reply reply)>;

struct ConnectionLimits {
    /// Of a request, without its length; more than `kHardMaxFrame` is cut down to that.
    std::uint32_t max_frame = 16u << 20;
    std::size_t max_connections = 1000;
    std::size_t max_per_host = 500; ///< connections of one address
    /// Of memory that all connections hold together: what has come of requests, requests that are
    /// not answered yet, and answers that are not sent yet. Beyond it whoever holds most is closed.
    std::size_t max_held = 256u << 20;
    Millis idle{600'000};          ///< without a byte in either direction
    Millis write_deadline{30'000}; ///< for the client to take in one answer
    Millis first_deadline{10'000}; ///< for the first request to arrive as a whole
    Millis frame_deadline{30'000}; ///< for any other, from its first byte on
    /// No further request is begun while more than this waits to be sent.
    std::size_t max_output = 1u << 20;
    /// Nothing is read while so much waits behind the request that is being answered.
    std::size_t max_waiting = 64u << 10;

    static constexpr std::uint32_t kHardMaxFrame = 100u << 20;
    static constexpr std::uint32_t kLeastFrame = 4; ///< no request is shorter
};

/// One client: its requests are handled one at a time, in order.
///
/// Reading goes on while a request is being handled, so that the end of the connection is noticed,
/// but only for as much as `max_waiting`.
class Connection : public Asker, public std::enable_shared_from_this<Connection> {
public:
    Connection(UvLoop& loop,
               std::shared_ptr<Socket> socket,
               std::uint64_t id,
               const ConnectionLimits& limits,
               const Handler& handler);
    struct Events {
        /// Called once, unless it is `close` that ends the connection.
        std::function<void(Ending ending, std::string_view why)> ended;
        /// It holds so many bytes more, or fewer. May end connections, this one too.
        std::function<void(std::ptrdiff_t more)> held;
    };

    void begin(Events events);
    void close();
    void end(Ending ending, std::string_view why);
    /// Ends the connection if a deadline has passed; to be called now and then.
    void check_deadlines();

    [[nodiscard]] const ConnectionInfo& info() const noexcept { return info_; }
    /// Bytes of memory that it is the reason for.
    [[nodiscard]] std::size_t held() const noexcept { return held_; }

private:
    void received(std::string_view bytes);
    void handle_requests();
    void handle(std::string_view frame);
    void answer(std::uint64_t request, Response response) override;
    [[nodiscard]] bool waits_for(std::uint64_t request) const noexcept override;
    void when_gone(std::uint64_t request, std::function<void()> gone) override;
    void send(Response response);
    void written();
    void weigh();
    [[nodiscard]] bool ready() const noexcept;

    UvLoop& loop_;
    std::shared_ptr<Socket> socket_;
    const ConnectionLimits& limits_;
    const Handler& handler_;
    Events events_;
    ConnectionInfo info_;
    FrameBuffer frames_;
    std::uint64_t request_ = 0;  // the latest; counted from 1
    bool unanswered_ = false;    // the latest is
    std::function<void()> gone_; // if this ends before the answer
    std::size_t in_hand_ = 0;    // bytes of the request that is not answered
    std::size_t held_ = 0;
    bool handling_ = false; // in the loop of `handle_requests`
    bool closing_ = false;  // nothing more is read
    TimePoint begun_;
    TimePoint active_; // when a byte last went either way
    std::optional<TimePoint> partial_since_;
    std::optional<TimePoint> sending_since_; // nothing has been taken from us
};

} // namespace mini_broker
