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
      begun_(loop.now()),
      active_(begun_) {
    info_.id = id;
    info_.remote = socket_->remote();
}

void Connection::begin(Events events) {
    events_ = std::move(events);
    const auto weak = weak_from_this();
    socket_->on({.data =
                     [weak](std::string_view bytes) {
                         if (const auto self = weak.lock()) self->received(bytes);
                     },
                 .ended =
                     [weak](std::string_view why) {
                         if (const auto self = weak.lock()) self->end(Ending::client, why);
                     },
                 .written =
                     [weak] {
                         if (const auto self = weak.lock()) self->written();
                     }});
    socket_->read(true);
}

void Connection::close() {
    events_ = {};
    gone_ = nullptr;
    socket_->close();
}

void Connection::end(Ending ending, std::string_view why) {
    socket_->close();
    const Events events = std::exchange(events_, {});
    if (events.held) events.held(-static_cast<std::ptrdiff_t>(std::exchange(held_, 0)));
    if (const auto gone = std::exchange(gone_, nullptr)) gone();
    if (events.ended) events.ended(ending, why);
}

/// Tells how much it holds by now.
void Connection::weigh() {
    // A request that is being handled is there as bytes and as what was read from them.
    const std::size_t now = frames_.capacity() + 2 * in_hand_ + socket_->pending();
    const auto more = static_cast<std::ptrdiff_t>(now) - static_cast<std::ptrdiff_t>(held_);
    held_ = now;
    if (more != 0 && events_.held) events_.held(more);
}

void Connection::received(std::string_view bytes) {
    active_ = loop_.now();
    if (closing_) return;
    frames_.append(bytes);
    weigh();
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
    if (status == FrameBuffer::Status::bad_length)
        return end(Ending::bad_length, "no request has that length");
    frames_.tidy();
    weigh();
    if (!socket_->open()) return;
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
    std::string bytes{frame};
    frames_.tidy();
    in_hand_ = bytes.size();
    weigh();
    if (socket_->open()) handler_(info_, std::move(bytes), Reply{weak_from_this(), request_});
}

bool Connection::waits_for(std::uint64_t request) const noexcept {
    return socket_->open() && unanswered_ && request_ == request;
}

void Connection::answer(std::uint64_t request, Response response) {
    if (!unanswered_ || request != request_ || !socket_->open()) return;
    unanswered_ = false;
    gone_ = nullptr;
    in_hand_ = 0;
    send(std::move(response));
    handle_requests();
}

void Connection::when_gone(std::uint64_t request, std::function<void()> gone) {
    if (waits_for(request)) gone_ = std::move(gone);
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
    weigh();
    if (!response.close_after || !socket_->open()) return;
    closing_ = true;
    if (socket_->pending() == 0) end(Ending::handler, "closed after an answer");
}

void Connection::written() {
    active_ = loop_.now();
    const bool all = socket_->pending() == 0;
    sending_since_ = all ? std::nullopt : std::optional{active_};
    weigh();
    if (closing_ && all) return end(Ending::handler, "closed after an answer");
    handle_requests();
}

void Connection::check_deadlines() {
    const TimePoint now = loop_.now();
    const auto passed = [&](const std::optional<TimePoint>& since, Millis limit) {
        return since && now - *since > limit;
    };
    if (!socket_->open()) return;
    if (passed(sending_since_, limits_.write_deadline))
        return end(Ending::unread_answers, "it does not read its answers");
    if (request_ == 0 && now - begun_ > limits_.first_deadline)
        return end(Ending::no_request, "it sends no request");
    if (passed(partial_since_, limits_.frame_deadline))
        return end(Ending::unfinished_request, "its request does not end");
    if (passed(active_, limits_.idle)) return end(Ending::idle, "idle");
}

} // namespace mini_broker
