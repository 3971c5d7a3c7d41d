// What the log says of partitions: always which one, in which leader's epoch, and why.
#include "cluster/replicas.hpp"

#include <insync/events.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace mini_broker {

LogFields Replicas::about(const Replica& replica, const LogFields& more) {
    LogFields fields{{"topic", replica.topic}, {"partition", replica.number}};
    if (replica.raft)
        fields.emplace_back("leader_epoch", static_cast<std::int64_t>(replica.raft->term()));
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

/// One line for each replica that entered or left an ISR by a decision of this node.
void Replicas::log_change(const insync::IsrChange& change) {
    using Cause = insync::ChangeCause;
    if (change.cause == Cause::published) return; // the node that decided has said it
    for (const insync::MovedReplica& moved : change.moved) {
        LogFields fields{{"topic", change.topic},
                         {"partition", change.partition},
                         {"leader_epoch", static_cast<std::int64_t>(change.after.epoch())},
                         {"replica", moved.node},
                         {"cause", std::string{to_string(change.cause)}},
                         {"isr_size", static_cast<std::int64_t>(change.after.size())},
                         {"lag_ms", std::int64_t{moved.lag_ms.count()}}};
        if (moved.lag_entries)
            fields.emplace_back("lag_entries", static_cast<std::int64_t>(*moved.lag_entries));
        // Who is taken out by hand has said that it stops.
        const bool expected = moved.added || change.cause == Cause::manual;
        if (expected)
            logger_.info(fields, "{}", log_line(change, moved));
        else
            logger_.warn(fields, "{}", log_line(change, moved));
    }
}

/// To be called whenever the role may have changed.
void Replicas::log_role(Replica& replica) {
    const RaftGroup& raft = *replica.raft;
    const Term leads = raft.leading() ? raft.term() : 0;
    const Term led = std::exchange(replica.led, leads);
    if (led == leads) return;
    if (leads != 0)
        return logger_.info(about(replica, {{"cause", "elected"}}),
                            "partition {}-{}: this node leads", replica.topic, replica.number);
    if (raft.term() != led)
        return logger_.info(about(replica, {{"cause", "newer leader epoch"}}),
                            "partition {}-{}: this node leads no more", replica.topic,
                            replica.number);
    logger_.warn(about(replica, {{"cause", "quorum lost"}}),
                 "partition {}-{}: this node leads no more, as a majority of the replicas does not "
                 "answer: bring their nodes back",
                 replica.topic, replica.number);
}

} // namespace mini_broker
