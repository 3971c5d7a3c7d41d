#include "kafka/handlers/reading.hpp"

#include "kafka/handlers/status.hpp"

namespace mini_broker::kafka {

namespace {

Reading refused(Error error) {
    Reading reading;
    reading.error = error;
    return reading;
}

/// Kafka's fence: whoever follows another epoch than this node must look again.
Error epoch_fault(std::int32_t asked, std::int32_t known) noexcept {
    if (asked < 0 || known < 0 || asked == known) return Error::none;
    return asked < known ? Error::fenced_leader_epoch : Error::unknown_leader_epoch;
}

} // namespace

Reading open_for_reading(const Context& context,
                         std::string_view topic,
                         std::int32_t number,
                         std::int32_t leader_epoch,
                         bool any_replica) {
    const Image::Partition* const partition = context.image().partition(topic, number);
    if (partition == nullptr) return refused(Error::unknown_topic_or_partition);
    Replica* const replica = context.replicas.find(topic, number);
    if (replica == nullptr) return refused(Error::not_leader_or_follower);
    const RaftGroup& raft = *replica->raft;
    const PartitionStatus status = status_of(context, topic, number, *partition);
    if (const Error fault = epoch_fault(leader_epoch, status.leader_epoch); fault != Error::none)
        return refused(fault);

    Reading reading;
    reading.leading = raft.leading();
    if (reading.leading) {
        // What was acknowledged before it was elected may not be known to be committed here yet.
        if (!raft.caught_up_with_its_term()) return refused(Error::offset_not_available);
    } else if (!status.acting) {
        const auto set = context.replicas.isr().get_isr(replica->handle);
        if (!any_replica || !set || set->stale() || !set->contains(context.nodes.self()))
            return refused(Error::not_leader_or_follower);
    }
    reading.replica = replica;
    reading.last = raft.readable_index();
    reading.end = raft.high_watermark();
    return reading;
}

Error error_beyond(const Reading& reading, Offset offset) {
    if (!reading.leading) return Error::offset_not_available;
    return offset <= reading.replica->raft->log().end_offset() ? Error::none
                                                               : Error::offset_out_of_range;
}

} // namespace mini_broker::kafka
