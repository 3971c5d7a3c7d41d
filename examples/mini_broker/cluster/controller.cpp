#include "cluster/controller.hpp"

#include <utility>
#include <variant>

namespace mini_broker {

using kafka::Error;

namespace {

/// How many partitions a command asks for.
std::size_t partitions_of(const Command& command) noexcept {
    if (const auto* const topic = std::get_if<CreateTopic>(&command)) return topic->replicas.size();
    if (const auto* const more = std::get_if<AddPartitions>(&command)) return more->replicas.size();
    return 0;
}

} // namespace

Controller::Controller(NodeId self,
                       std::vector<NodeId> nodes,
                       const std::string& directory,
                       const RaftOptions& options,
                       Disk& disk,
                       Loop& loop,
                       Peers& peers,
                       Changed changed)
    : self_(self),
      loop_(loop),
      peers_(peers),
      changed_(std::move(changed)),
      // An answer that an earlier run of this node waited for must not pass for one of this run's.
      next_request_(static_cast<std::uint64_t>(loop.wall_ms()) << 20),
      group_(kMetadataGroup,
             self,
             std::move(nodes),
             directory,
             options,
             disk,
             loop,
             peers,
             {.committed = [this](const Entry& entry,
                                  std::string_view payload) { applied(entry, payload); },
              .commit_moved = [this] { settle(); },
              .role_changed = {},
              .positions_moved = {},
              .answered = {}}) {}

void Controller::submit(Command command, Millis limit, Done done) {
    accept(std::move(command), limit, std::move(done), false);
}

void Controller::submit_in_order(Command command, Millis limit, Done done) {
    accept(std::move(command), limit, std::move(done), true);
}

void Controller::accept(Command command, Millis limit, Done done, bool in_order) {
    const std::uint64_t request = next_request_++;
    Pending& pending = pending_[request];
    pending.command = encode(command);
    pending.deadline = insync::saturating_add(loop_.now(), limit);
    pending.done = std::move(done);
    pending.in_order = in_order;
    pending.partitions = partitions_of(command);
    underway_ += pending.partitions;
    send_on(request, pending);
}

/// Proposes a command, or passes it on to whoever leads; without a leader it stays for `tick`.
void Controller::send_on(std::uint64_t request, Pending& pending) {
    pending.index = 0;
    pending.term = 0;
    if (group_.leading()) {
        const auto proposed = group_.propose_command(pending.command);
        if (!proposed) return;
        pending.index = proposed->index;
        pending.term = proposed->term;
        pending.sent = loop_.now();
        return;
    }
    if (pending.in_order) return;
    const NodeId leader = group_.leader();
    if (leader == insync::kNoNode || leader == self_) return;
    if (send(peers_, leader, NodeMessage::command,
             encode(ForwardedCommand{request, pending.command})))
        pending.sent = loop_.now();
}

void Controller::receive(NodeId from, std::uint8_t type, std::string_view payload) {
    switch (static_cast<NodeMessage>(type)) {
    case NodeMessage::command:
        if (const auto message = decode_forwarded_command(payload)) take_command(from, *message);
        break;
    case NodeMessage::result:
        if (const auto message = decode_forwarded_result(payload)) take_result(*message);
        break;
    default: group_.receive(from, type, payload);
    }
}

void Controller::take_command(NodeId from, const ForwardedCommand& message) {
    // A command of no meaning must not reach the log. Where this node does not lead, the sender
    // hears nothing, and finds the leader by itself.
    if (!decode_command(message.command)) return;
    if (const auto proposed = group_.propose_command(message.command))
        foreign_[proposed->index] = {from, message.request, proposed->term};
}

void Controller::take_result(const ForwardedResult& message) {
    const auto found = pending_.find(message.request);
    if (found == pending_.end()) return;
    found->second.index = message.index;
    found->second.result = message.result;
    settle();
}

void Controller::applied(const Entry& entry, std::string_view payload) {
    applied_ = entry.index;
    Image::Applied applied;
    if (entry.kind == EntryKind::command)
        if (const auto command = decode_command(payload)) applied = image_.apply(*command);
    for (const Image::Change& change : applied.changes) changed_(change);

    if (const auto found = foreign_.find(entry.index); found != foreign_.end()) {
        const Foreign foreign = found->second;
        foreign_.erase(found);
        if (foreign.term == entry.term)
            send(peers_, foreign.node, NodeMessage::result,
                 encode(ForwardedResult{foreign.request, entry.index, applied.result}));
    }
    for (auto& [request, pending] : pending_)
        if (pending.index == entry.index && pending.term == entry.term)
            pending.result = applied.result;
}

void Controller::settle() {
    std::vector<std::pair<Done, CommandResult>> over;
    for (auto at = pending_.begin(); at != pending_.end();) {
        Pending& pending = at->second;
        const bool told = pending.result && pending.index <= applied_;
        const bool late = loop_.now() >= pending.deadline;
        if (!told && !late) {
            ++at;
            continue;
        }
        CommandResult result;
        if (told)
            result = std::move(*pending.result);
        else
            result = {Error::request_timed_out,
                      "The metadata has no leader, or it did not answer in time.", 0};
        over.emplace_back(std::move(pending.done), std::move(result));
        underway_ -= pending.partitions;
        at = pending_.erase(at);
    }
    for (const auto& [done, result] : over) done(result); // which may submit more
}

void Controller::tick() {
    constexpr Millis kAgain{500};
    group_.tick();
    // What was lost on the way, or was proposed by a leader that is none any more, goes again. A
    // command that is applied twice comes to "exists already" or changes nothing.
    for (auto& [request, pending] : pending_) {
        const bool own_term = pending.term != 0 && pending.term == group_.term();
        if (pending.result || (own_term && group_.leading())) continue;
        if (pending.in_order) {
            pending.index = 0;
            pending.result = {Error::not_coordinator, "This node leads the metadata no more.", 0};
            continue;
        }
        if (insync::saturating_age(loop_.now(), pending.sent) >= kAgain) send_on(request, pending);
    }
    if (!group_.leading()) foreign_.clear();
    settle();
}

} // namespace mini_broker
