// Part of isr_manager.hpp. Questions of a person, and metrics.

namespace insync {

/// The time as it was last seen, or now: for questions, which change nothing.
template <class View, class C>
auto IsrManager<View, C>::last_seen() const noexcept -> Now {
    const TimePoint seen{Millis{latest_.load(std::memory_order_relaxed)}};
    return engine_.at(std::max(seen, clock_.now()));
}

template <class View, class C>
std::optional<Explanation> IsrManager<View, C>::explain(std::string_view topic,
                                                        PartitionId partition,
                                                        NodeId node) const {
    const PartitionHandle handle = find(topic, partition);
    if (!handle) return std::nullopt;
    const detail::Partition p{engine_.partitions, *handle.word_, handle.identity_};
    if (!p.found()) return std::nullopt;
    const std::uint32_t position = p.replicas().position(node);
    if (position == detail::ReplicaSet::kNone) return std::nullopt;
    return engine_.explain(p, position, last_seen());
}

template <class View, class C>
SafeToStop IsrManager<View, C>::safe_to_stop(NodeId node) const {
    SafeToStop answer;
    for_each_slot([&](const PartitionHandle& handle) {
        ShortPartition shortage;
        std::uint32_t topic = 0;
        {
            const detail::Partition p{engine_.partitions, *handle.word_, handle.identity_};
            if (!p.found()) return;
            const std::uint32_t position = p.replicas().position(node);
            if (position == detail::ReplicaSet::kNone) return;
            const bool member = (p.members() & detail::bit(position)) != 0;
            shortage.isr_size = detail::count(p.members());
            shortage.min_isr = p.min_isr(engine_.config);
            if (!member || shortage.isr_size - 1 >= shortage.min_isr) return;
            topic = p.line().topic;
            shortage.topic = engine_.partitions.topics.topic(topic).name();
            shortage.partition = static_cast<PartitionId>(p.line().partition);
        }
        answer.would_fall_short.push_back(std::move(shortage));
    });
    return answer;
}

template <class View, class C>
IsrStats IsrManager<View, C>::get_isr_stats() const {
    IsrStats stats;
    stats.waits = engine_.waits.size();
    for_each_slot([&](const PartitionHandle& handle) {
        const detail::Partition p{engine_.partitions, *handle.word_, handle.identity_};
        if (!p.found()) return;
        const std::size_t size = detail::count(p.members());
        ++stats.partitions;
        stats.isr_members += size;
        stats.stale += p.decision.stale ? 1u : 0u;
        if (p.line().leading == 0) return;
        const std::size_t min_isr = p.min_isr(engine_.config);
        ++stats.leading;
        stats.under_replicated += engine_.is_under_replicated(p) ? 1u : 0u;
        stats.under_min_isr += size < min_isr ? 1u : 0u;
        stats.at_min_isr += size == min_isr ? 1u : 0u;
        stats.refusing_produce += p.decision.word.has_min() ? 0u : 1u;
    });
    return stats;
}

template <class View, class C>
template <class Visit>
void IsrManager<View, C>::for_each_partition(const Visit& visit) const {
    PartitionReport report;
    for_each_slot([&](const PartitionHandle& handle) {
        const Now now = last_seen();
        {
            const detail::Partition p{engine_.partitions, *handle.word_, handle.identity_};
            if (!p.found()) return;
            report.topic = engine_.partitions.topics.topic(p.line().topic).name();
            engine_.report(p, now, report);
        }
        for (FollowerReport& follower : report.followers) {
            const bool heard = follower.last_contact != kNever;
            const Millis silence = saturating_age(now.time, follower.last_contact);
            follower.last_contact_wall_ms = heard ? clock_.wall_ms() - silence.count() : 0;
        }
        visit(static_cast<const PartitionReport&>(report));
    });
}

} // namespace insync
