// Part of isr_manager.hpp. What the host pushes, and acks=all waits.

namespace insync {

template <class View, class C>
void IsrManager<View, C>::shut_down() noexcept {
    engine_.stopped.store(true, std::memory_order_release);
    detail::Outcome outcome;
    engine_.waits.close(outcome.ended);
    deliver(outcome);
}

template <class View, class C>
Result IsrManager<View, C>::record_progress(
    const PartitionHandle& handle, Epoch epoch, NodeId node, Index match, TimePoint contact) {
    const Engine::Acknowledgement ack{epoch, node, match, contact_stamp(contact)};
    Result result = Result::ok;
    if (record_ordinary(handle, ack, result)) [[likely]]
        return result;
    const auto record = [&](detail::Partition& p, detail::Outcome& outcome) {
        return engine_.record_progress(p, ack, outcome);
    };
    return with(handle, record, detail::Partition::Want::line);
}

template <class View, class C>
[[gnu::always_inline]] inline bool IsrManager<View, C>::record_ordinary(
    const PartitionHandle& handle, const Engine::Acknowledgement& ack, Result& result) noexcept {
    if (handle.word_ == nullptr || engine_.stopped.load(std::memory_order_acquire)) return false;
    detail::LeaderLine& line = engine_.partitions.line(detail::StateWord{handle.identity_}.slot());
    __builtin_prefetch(handle.word_); // nothing that follows the lock begins before it is had
    line.lock();
    const detail::StateWord word{handle.word_->load(std::memory_order_relaxed)};
    const bool done =
        word.identity() == handle.identity_ && engine_.record_ordinary(line, word, ack, result);
    line.unlock();
    return done;
}

template <class View, class C>
Result IsrManager<View, C>::record_progress(std::string_view topic,
                                            PartitionId partition,
                                            Epoch epoch,
                                            NodeId node,
                                            Index match,
                                            TimePoint contact) {
    return record_progress(find(topic, partition), epoch, node, match, contact);
}

template <class View, class C>
std::size_t IsrManager<View, C>::record_progress(std::span<const ProgressReport> reports) {
    constexpr std::size_t kAhead = 12; // lines under way at one time
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < reports.size(); ++i) {
        if (i + kAhead < reports.size()) {
            const detail::StateWord ahead{reports[i + kAhead].partition.identity_};
            if (ahead.present()) {
                __builtin_prefetch(&engine_.partitions.line(ahead.slot()), 1);
                __builtin_prefetch(reports[i + kAhead].partition.word_);
            }
        }
        const ProgressReport& report = reports[i];
        const Result result = record_progress(report.partition, report.epoch, report.node,
                                              report.match, report.contact);
        accepted += result == Result::ok ? 1u : 0u;
    }
    return accepted;
}

/// The stamp of a contact that the host tells. One that is not near what the clock last said is
/// held against the clock: it must not be in the future, or too long ago to be told apart.
template <class View, class C>
detail::Stamp IsrManager<View, C>::contact_stamp(TimePoint contact) noexcept {
    const TimePoint latest{Millis{latest_.load(std::memory_order_relaxed)}};
    // Unsigned, so that what is later than `latest` is far from it.
    const bool near = static_cast<std::uint64_t>(latest.time_since_epoch().count()) -
                          static_cast<std::uint64_t>(contact.time_since_epoch().count()) <
                      detail::kMaxAge / 2;
    if (near) [[likely]]
        return engine_.timeline.stamp(contact);
    return engine_.timeline.stamp(contact, now().time);
}

template <class View, class C>
Result IsrManager<View, C>::record_leader(const PartitionHandle& handle,
                                          Epoch epoch,
                                          const LeaderPositions& positions) {
    const Now current = now();
    return with(handle, [&](detail::Partition& p, detail::Outcome& outcome) {
        return engine_.record_leader(p, epoch, positions, current, outcome);
    });
}

template <class View, class C>
Result IsrManager<View, C>::update_heartbeat(std::string_view topic,
                                             PartitionId partition,
                                             NodeId node) {
    const Now current = now();
    return with(find(topic, partition), [&](detail::Partition& p, detail::Outcome&) {
        return engine_.record_contact(p, node, current.stamp);
    });
}

template <class View, class C>
Result IsrManager<View, C>::add_to_isr(std::string_view topic, PartitionId partition, NodeId node) {
    const Now current = now();
    return with(find(topic, partition), [&](detail::Partition& p, detail::Outcome& outcome) {
        return engine_.move_by_hand(p, node, true, current, outcome);
    });
}

template <class View, class C>
Result IsrManager<View, C>::remove_from_isr(std::string_view topic,
                                            PartitionId partition,
                                            NodeId node) {
    const Now current = now();
    return with(find(topic, partition), [&](detail::Partition& p, detail::Outcome& outcome) {
        return engine_.move_by_hand(p, node, false, current, outcome);
    });
}

template <class View, class C>
Result IsrManager<View, C>::await(const PartitionHandle& handle,
                                  Epoch epoch,
                                  Index index,
                                  TimePoint deadline,
                                  WaitCallback callback) {
    const Now current = now();
    std::optional<WaitResult> at_once;
    const Result result = with(handle, [&](detail::Partition& p, detail::Outcome&) {
        return engine_.await(p, epoch, index, deadline, current, callback, at_once);
    });
    if (at_once) {
        try {
            callback(*at_once);
        } catch (...) {
            detail::AtomicCounters::add(engine_.counters.callbacks_thrown);
        }
    }
    return result;
}

} // namespace insync
