#include "cluster/replicas.hpp"

#include "cluster/topic_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>

namespace mini_broker {

using insync::Result;

namespace {

constexpr Millis kChores{1000};
/// A contact is stamped when the answer arrives, one round trip after it was true.
constexpr Millis kContactSlack{200};
/// How soon the first replica of a new partition, of those that are up, stands for election.
constexpr unsigned kFirstElection = 150;

std::string directory_of(const std::string& root, GroupId group) {
    return fmt::format("{}/{}", root, group);
}

/// Beside a group's directory, while its files are being removed.
constexpr std::string_view kRemoved = ".removed";

/// The group that a name in the groups' directory begins with, and what follows it.
std::optional<std::pair<GroupId, std::string_view>> group_in(std::string_view name) {
    GroupId group = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), group);
    if (error != std::errc{}) return std::nullopt;
    return std::pair{group, name.substr(static_cast<std::size_t>(end - name.data()))};
}

/// The order of names and numbers, for a view of either.
using Name = std::pair<std::string, std::int32_t>;

} // namespace

Replicas::Replicas(ReplicasOptions options,
                   Disk& disk,
                   Loop& loop,
                   Peers& peers,
                   Logger& logger,
                   Controller& controller)
    : options_(std::move(options)),
      disk_(disk),
      loop_(loop),
      peers_(peers),
      logger_(logger),
      controller_(controller),
      host_([this](insync::TopicPartition partition) {
          Replica* const found = find(partition.topic, partition.partition);
          return found == nullptr ? nullptr : found->raft.get();
      }),
      view_(options_.self, host_, kContactSlack),
      isr_(options_.self, view_, options_.isr, options_.clock),
      may_have_been_here_(controller.group().joining()) {
    disk_.make_directory(options_.directory);
    for (const std::string& name : disk_.list(options_.directory))
        if (const auto found = group_in(name); found && found->second == kRemoved)
            removed_.insert(found->first);
    for (const GroupId group : removed_)
        disk_.remove_directory(directory_of(options_.directory, group));
    (void)isr_.subscribe([this](const insync::IsrChange& change) { log_change(change); });
    isr_.publish_to(store_);
}

Replicas::~Replicas() {
    isr_.shut_down();
}

void Replicas::apply(const Image::Change& change) {
    using Kind = Image::Change::Kind;
    if (change.kind == Kind::dead_nodes) return mark_dead_nodes();
    if (change.kind != Kind::isr) {
        dirty_ = true;
        // At once: another topic may have the name before the next tick.
        if (change.kind == Kind::topic_deleted)
            for (std::size_t p = 0; p < change.topic.partitions.size(); ++p)
                by_name_.erase(Name{change.topic.name, static_cast<std::int32_t>(p)});
        return;
    }
    for (const std::int32_t number : change.partitions) {
        const auto* const partition = controller_.image().partition(change.topic.name, number);
        if (partition == nullptr || !partition->isr) continue;
        Replica* const replica = find(change.topic.name, number);
        if (replica == nullptr) continue;
        (void)isr_.apply_published_isr(change.topic.name, number, *partition->isr);
        replica->wake();
    }
}

Replica* Replicas::find(std::string_view topic, std::int32_t partition) noexcept {
    const auto found = by_name_.find(Name{topic, partition});
    return found == by_name_.end() ? nullptr : found->second;
}

void Replicas::receive(NodeId from, GroupId group, std::uint8_t type, std::string_view payload) {
    const auto found = by_group_.find(group);
    if (found != by_group_.end()) found->second->raft->receive(from, type, payload);
}

void Replicas::reconcile() {
    dirty_ = false;
    struct Wanted {
        const Image::Topic* topic;
        std::int32_t number;
    };
    std::map<GroupId, Wanted> wanted;
    for (const auto& [name, topic] : controller_.image().topics()) {
        for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
            const auto& nodes = topic.partitions[p].replicas;
            if (removed_.contains(topic.partitions[p].group)) continue;
            if (std::find(nodes.begin(), nodes.end(), options_.self) != nodes.end())
                wanted[topic.partitions[p].group] = {&topic, static_cast<std::int32_t>(p)};
        }
    }
    // First, as a topic that was deleted may have been created anew since, under the same name.
    std::vector<GroupId> gone;
    for (const auto& [group, replica] : by_group_)
        if (!wanted.contains(group)) gone.push_back(group);
    for (const GroupId group : gone) close(group);
    for (const auto& [group, partition] : wanted) {
        const auto found = by_group_.find(group);
        if (found == by_group_.end())
            open(*partition.topic, partition.number);
        else
            configure(*found->second, *partition.topic);
    }
    if (!leftovers_removed_) remove_leftovers();
}

void Replicas::open(const Image::Topic& topic, std::int32_t number) {
    const Image::Partition& partition = topic.partitions[static_cast<std::size_t>(number)];
    auto replica = std::make_unique<Replica>();
    Replica& made = *replica;
    made.topic = topic.name;
    made.topic_id = topic.id;
    made.number = number;
    made.replicas = partition.replicas;

    RaftOptions raft = options_.raft;
    raft.seed += partition.group * 7919u;
    raft.may_have_been_here = may_have_been_here_;
    const auto segment = config_number(topic, ConfigKey::segment_bytes);
    if (topic.configs.contains("segment.bytes"))
        raft.log.segment_bytes = static_cast<std::uint64_t>(segment);
    const std::string directory = directory_of(options_.directory, partition.group);
    try {
        made.raft =
            std::make_unique<RaftGroup>(partition.group, options_.self, partition.replicas,
                                        directory, raft, disk_, loop_, peers_, events_of(made));
    } catch (const std::exception& error) {
        // The files say only the group's number.
        logger_.error(about(made, {{"cause", error.what()}}),
                      "partition {}-{} cannot be opened from {}: the node stops", topic.name,
                      number, directory);
        throw;
    }
    // Nobody here needs to be told again of what was committed before: a long log would take long.
    made.raft->applied_upto(made.raft->readable_index());
    if (made.raft->last_index() <= 1 && partition.alive.front() == options_.self)
        raft_set_election_timeout(made.raft->core(), kFirstElection);
    by_name_[Name{made.topic, number}] = &made;
    by_group_[partition.group] = std::move(replica);

    insync::PartitionOptions isr;
    isr.min_isr = min_insync_replicas(topic, options_.isr.min_insync_replicas);
    if (partition.isr)
        isr.inherited = &*partition.isr;
    else
        isr.alive = insync::NodeList{partition.alive};
    const Result result =
        isr_.initialize_isr(topic.name, number, insync::NodeList{partition.replicas}, isr);
    if (result != Result::ok && result != Result::already_exists)
        logger_.warn(about(made, {{"cause", std::string{to_string(result)}}}),
                     "partition {}-{} is not tracked, and takes no acks=all: report this",
                     topic.name, number);
    made.handle = isr_.find(topic.name, number);
    configure(made, topic);
}

void Replicas::configure(Replica& replica, const Image::Topic& topic) {
    replica.max_message_bytes = config_number(topic, ConfigKey::max_message_bytes);
    replica.raft->log().set_retention(config_number(topic, ConfigKey::retention_bytes),
                                      config_number(topic, ConfigKey::retention_ms));
    (void)isr_.set_min_insync_replicas(
        topic.name, replica.number, min_insync_replicas(topic, options_.isr.min_insync_replicas));
}

void Replicas::close(GroupId group) {
    const auto found = by_group_.find(group);
    const std::unique_ptr<Replica> replica = std::move(found->second);
    by_group_.erase(found);
    by_name_.erase(Name{replica->topic, replica->number});
    (void)isr_.remove_partition(replica->topic, replica->number); // ends the waits for it
    closed_.emplace_back(replica->topic, replica->number);
    replica->wake();
    const LogFields fields = about(*replica, {{"cause", "topic deleted"}});
    replica->raft.reset();
    remove_files(group);
    logger_.info(fields, "partition {}-{} is gone, and its files", replica->topic, replica->number);
}

/// A crash may leave some of the files, and the next run may not know at once that the partition
/// was deleted: it must not open what is left, nor take it for a damaged log.
void Replicas::remove_files(GroupId group) {
    const std::string directory = directory_of(options_.directory, group);
    const std::string mark = fmt::format("{}{}", directory, kRemoved);
    disk_.replace(mark, "");
    disk_.remove_directory(directory);
    disk_.remove(mark);
}

/// A partition that was deleted while this node was away was never opened here since.
void Replicas::remove_leftovers() {
    leftovers_removed_ = true;
    for (const std::string& name : disk_.list(options_.directory)) {
        const auto found = group_in(name);
        if (!found || by_group_.contains(found->first)) continue;
        if (!controller_.image().was_deleted(found->first))
            leftovers_removed_ = false; // the metadata has not come that far yet
        else if (found->second.empty())
            remove_files(found->first);
        else if (found->second == kRemoved)
            disk_.remove(options_.directory + "/" + name);
    }
}

RaftEvents Replicas::events_of(Replica& replica) {
    const auto positions = [this, &replica] {
        const RaftGroup& raft = *replica.raft;
        if (!raft.leading()) return;
        (void)isr_.record_leader(
            replica.handle, raft.term(),
            {raft.last_index(), raft.log().durable_index(), raft.commit_index()});
    };
    return {
        .committed = {},
        .commit_moved =
            [this, &replica, positions] {
                positions();
                replica.wake();
                if (replica.returning) prefer_first_replica(replica);
            },
        .role_changed =
            [this, &replica] {
                RaftGroup& raft = *replica.raft;
                log_role(replica);
                if (raft.leading()) replica.led_since = loop_.now();
                if (raft.leader() != insync::kNoNode) {
                    replica.heard = {raft.leader(), raft.term()};
                    raft_set_election_timeout(
                        raft.core(), static_cast<unsigned>(options_.raft.election_timeout.count()));
                }
                (void)isr_.update_isr(replica.handle);
                take_out_gone(replica);
                replica.wake();
            },
        .positions_moved = positions,
        .answered =
            [this, &replica](NodeId follower, Index match) {
                const Term term = replica.raft->term();
                if (match > 0)
                    (void)isr_.record_progress(replica.handle, term, follower, match, loop_.now());
                welcome_back(replica, follower, match);
                if (replica.returning) prefer_first_replica(replica);
            },
        .entries_lost =
            [this, &replica](NodeId follower, Index confirmed, Index held) {
                logger_.warn(about(replica, {{"replica", follower}, {"cause", "entries lost"}}),
                             "partition {}-{}: node {} holds {} entries, and had confirmed {}: if "
                             "nobody has replaced its disk, its disk loses what was written; "
                             "leadership moves",
                             replica.topic, replica.number, follower, held, confirmed);
            },
        .synced = options_.synced,
    };
}

void Replicas::Store::publish(insync::TopicPartition partition, const insync::PublishedIsr& isr) {
    Replica* const replica = replicas.find(partition.topic, partition.partition);
    if (replica == nullptr) return;
    if (replicas.decided_.empty())
        replicas.loop_.after(Millis{0}, [&all = replicas] { all.send_decisions(); });
    replicas.decided_[{replica->topic_id, replica->number}] = isr;
}

void Replicas::send_decisions() {
    PublishIsr command;
    for (const auto& [partition, isr] : std::exchange(decided_, {}))
        command.sets.push_back({partition.first, partition.second, isr});
    // What does not arrive is sent again by the next sweep.
    if (!command.sets.empty())
        controller_.submit(std::move(command), options_.isr.check_interval_ms,
                           [](const CommandResult&) {});
}

void Replicas::show(BrokerMetrics& metrics) {
    for (const auto& [topic, number] : closed_) metrics.forget_partition(topic, number);
    closed_.clear();
    for (const auto& [group, replica] : by_group_)
        metrics.show_partition(replica->topic, replica->number, replica->raft->term(),
                               replica->raft->commit_index());
}

void Replicas::tick() {
    if (dirty_) reconcile();
    may_have_been_here_ = controller_.group().joining();
    for (const auto& [group, replica] : by_group_) replica->raft->tick();
    if (loop_.now() >= isr_.next_deadline()) {
        if (!gone_.empty())
            for (const auto& [group, replica] : by_group_) take_out_gone(*replica);
        isr_.tick();
    }
    if (loop_.now() < next_chores_) return;
    next_chores_ = insync::saturating_add(loop_.now(), kChores);
    for (const auto& [group, replica] : by_group_) {
        prefer_first_replica(*replica);
        replica->raft->apply_retention();
    }
}

} // namespace mini_broker
