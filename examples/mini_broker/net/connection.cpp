#include "net/connection.hpp"

#include <algorithm>
#include <utility>

namespace mini_broker {

Connection::Connection(UvLoop& loop,
                       std::shared_ptr<Socket> socket,
                       std::uint64_t id,
                       const ConnectionLimits& limits,
                       const Handler& handler)
    : loop_(loop),
      socket_(std::move(socket)),
      limits_(limits),
      handler_(handler),
      frames_(ConnectionLimits::kLeastFrame,
              std::min(limits.max_frame, ConnectionLimits::kHardMaxFrame)),
      active_(loop.now()) {
    info_.id = id;
    info_.remote = socket_->remote();
}

void Connection::begin(std::function<void(std::string_view why)> closed) {
    closed_ = std::move(closed);
    const auto weak = weak_from_this();
    socket_->on({.data =
                     [weak](std::string_view bytes) {
                         if (const auto self = weak.lock()) self->received(bytes);
                     },
                 .ended =
                     [weak](std::string_view why) {
                         if (const auto self = weak.lock()) self->end(why);
                     },
                 .written =
                     [weak] {
                         if (const auto self = weak.lock()) self->written();
                     }});
    socket_->read(true);
}

void Connection::close() {
    closed_ = nullptr;
    socket_->close();
}

void Connection::end(std::string_view why) {
    socket_->close();
    if (const auto closed = std::exchange(closed_, nullptr)) closed(why);
}

void Connection::received(std::string_view bytes) {
    active_ = loop_.now();
    if (closing_) return;
    frames_.append(bytes);
    handle_requests();
}

bool Connection::ready() const noexcept {
    return socket_->open() && !closing_ && !unanswered_ && socket_->pending() <= limits_.max_output;
}

void Connection::handle_requests() {
    if (handling_) return;
    handling_ = true;
    auto status = FrameBuffer::Status::frame;
    while (status == FrameBuffer::Status::frame && ready()) {
        std::string_view frame;
        status = frames_.next(frame);
        if (status == FrameBuffer::Status::frame) handle(frame);
    }
    handling_ = false;
    if (!socket_->open() || closing_) return;
    if (status == FrameBuffer::Status::bad_length) return end("no request has that length");
    const bool partial = status == FrameBuffer::Status::incomplete && frames_.size() > 0;
    if (!partial)
        partial_since_.reset();
    else if (!partial_since_)
        partial_since_ = loop_.now();
    // While a request waits, so does what comes behind it: in the kernel, for the most part.
    socket_->read(ready() || frames_.size() < limits_.max_waiting);
}

void Connection::handle(std::string_view frame) {
    partial_since_.reset();
    unanswered_ = true;
    ++request_;
    handler_(info_, std::string{frame}, Reply{weak_from_this(), request_});
}

bool Connection::waits_for(std::uint64_t request) const noexcept {
    return socket_->open() && unanswered_ && request_ == request;
}

void Connection::answer(std::uint64_t request, Response response) {
    if (!unanswered_ || request != request_ || !socket_->open()) return;
    unanswered_ = false;
    send(std::move(response));
    handle_requests();
}

void Connection::send(Response response) {
    active_ = loop_.now();
    if (!response.bytes.empty()) {
        const auto length = static_cast<std::uint32_t>(response.bytes.size());
        std::string prefix;
        for (int shift = 24; shift >= 0; shift -= 8)
            prefix.push_back(static_cast<char>(length >> shift));
        if (!sending_since_) sending_since_ = active_;
        socket_->write(std::move(prefix), std::move(response.bytes));
    }
    if (!response.close_after || !socket_->open()) return;
    closing_ = true;
    if (socket_->pending() == 0) end("closed after an answer");
}

void Connection::written() {
    active_ = loop_.now();
    const bool all = socket_->pending() == 0;
    sending_since_ = all ? std::nullopt : std::optional{active_};
    if (closing_ && all) return end("closed after an answer");
    handle_requests();
}

void Connection::check_deadlines() {
    const TimePoint now = loop_.now();
    const auto passed = [&](const std::optional<TimePoint>& since, Millis limit) {
        return since && now - *since > limit;
    };
    if (!socket_->open()) return;
    if (passed(sending_since_, limits_.write_deadline)) return end("it does not read its answers");
    if (passed(partial_since_, limits_.frame_deadline)) return end("its request does not end");
    if (passed(active_, limits_.idle)) return end("idle");
}

} // namespace mini_broker
