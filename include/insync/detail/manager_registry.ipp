// Part of isr_manager.hpp. Registration, assignment, metadata.

namespace insync {

template <class View, class C>
Result IsrManager<View, C>::initialize_isr(std::string_view topic,
                                           PartitionId partition,
                                           NodeList replicas,
                                           const PartitionOptions& options) {
    return engine_.counters.count(initialize({topic, partition}, replicas, options));
}

template <class View, class C>
Result IsrManager<View, C>::initialize_isr(std::string_view topic,
                                           PartitionId partition,
                                           NodeList replicas) {
    return initialize_isr(topic, partition, replicas, PartitionOptions{});
}

template <class View, class C>
Result IsrManager<View, C>::initialize_isr(std::string_view topic,
                                           PartitionId partition,
                                           NodeList replicas,
                                           int min_isr) {
    return initialize_isr(topic, partition, replicas, PartitionOptions{.min_isr = min_isr});
}

template <class View, class C>
Result IsrManager<View, C>::initialize_isr(std::string_view topic,
                                           PartitionId partition,
                                           NodeList replicas,
                                           const PublishedIsr& inherited,
                                           std::optional<int> min_isr) {
    return initialize_isr(topic, partition, replicas,
                          PartitionOptions{.min_isr = min_isr, .inherited = &inherited});
}

template <class View, class C>
Result IsrManager<View, C>::initialize(TopicPartition partition,
                                       NodeList replicas,
                                       const PartitionOptions& options) {
    detail::Nodes sorted;
    if (!detail::is_legal_topic(partition.topic)) return Result::invalid_topic;
    if (partition.partition < 0 || partition.partition > kMaxPartition)
        return Result::invalid_partition;
    if (replicas.nodes().empty()) return Result::empty_replicas;
    const Result bad = detail::sort_nodes(replicas.nodes(), sorted);
    if (bad != Result::ok) return bad;
    Registration registration{partition, sorted, options.min_isr, {}};
    const Result wrong = detail::first_set(engine_.self, detail::as_span(sorted), options,
                                           engine_.dead, registration.first);
    if (wrong != Result::ok) return wrong;
    if (engine_.stopped.load(std::memory_order_acquire)) return Result::shut_down;
    PartitionHandle entered;
    try {
        // The view is asked before any lock is taken.
        const Group group = view_.find_group(partition, detail::as_span(sorted));
        const std::lock_guard lock{registry_};
        const Result result = enter(registration, group, entered);
        if (result != Result::ok || !entered) return result;
    } catch (const std::bad_alloc&) {
        return Result::no_memory;
    }
    first_look(entered);
    return Result::ok;
}

/// Reads a partition that was just registered. What the view says is its state, not an error.
template <class View, class C>
void IsrManager<View, C>::first_look(const PartitionHandle& handle) {
    const Now current = now();
    typename Engine::Judging judging;
    judging.last_sweep = current.stamp;
    (void)observe(handle, current, judging);
    notify(handle);
}

/// With the registry locked. `entered` stays empty where the same registration exists already.
template <class View, class C>
Result IsrManager<View, C>::enter(const Registration& registration,
                                  const Group& group,
                                  PartitionHandle& entered) {
    auto& partitions = engine_.partitions;
    const auto [name, id] = registration.partition;
    const auto number = static_cast<std::uint32_t>(id);
    const auto sorted = detail::as_span(registration.replicas);
    const int min_isr = std::min(registration.min_isr.value_or(0), 15);
    if (detail::Cell* const known = find_word(name, id)) {
        const detail::StateWord word{known->load(std::memory_order_relaxed)};
        if (word.present()) {
            const detail::Partition p{partitions, *known, word.identity()};
            const bool same =
                p.replicas().equals(sorted) && static_cast<int>(p.line().min_isr) == min_isr;
            return same ? Result::ok : Result::already_exists;
        }
    }
    detail::Topic& topic = partitions.topics.obtain(name, detail::TopicTable::kDefaultFirst);
    detail::Cell* cell = nullptr;
    std::uint32_t replica_set = 0;
    detail::StateWord identity;
    try {
        cell = partitions.topics.obtain_word(topic, number);
        replica_set = partitions.replica_sets.obtain(sorted);
        identity = partitions.take_slot();
        if (identity.present() && !make_group(identity.slot(), group)) {
            partitions.give_slot(identity);
            identity = detail::StateWord{};
        }
        if (!identity.present()) {
            partitions.replica_sets.release(replica_set);
            throw std::bad_alloc{};
        }
    } catch (...) {
        if (topic.live == 0) partitions.topics.remove(topic);
        throw;
    }
    ++topic.live;
    engine_.enter(*cell, identity, topic.number, number, replica_set, min_isr, registration.first,
                  now());
    entered = PartitionHandle{cell, identity.identity()};
    return Result::ok;
}

/// Keeps the view's handle of a slot's group. \return false without memory
template <class View, class C>
bool IsrManager<View, C>::make_group(std::uint32_t slot, const Group& group) {
    if (!groups_.reserve(slot)) return false;
    if constexpr (VersionedView<View>) {
        if (!seen_versions_.reserve(slot)) return false;
        seen_versions_[slot] = 0;
    }
    if (slot == groups_constructed_) new (&groups_[groups_constructed_++]) Group{};
    groups_[slot] = group;
    return true;
}

template <class View, class C>
Result IsrManager<View, C>::reserve(std::string_view topic, std::size_t partitions) {
    if (!detail::is_legal_topic(topic)) return engine_.counters.count(Result::invalid_topic);
    if (partitions < 1 || partitions > std::size_t{kMaxPartition} + 1)
        return engine_.counters.count(Result::invalid_partition);
    if (engine_.stopped.load(std::memory_order_acquire))
        return engine_.counters.count(Result::shut_down);
    try {
        const std::lock_guard lock{registry_};
        engine_.partitions.topics.obtain(topic, static_cast<std::uint32_t>(partitions));
        return Result::ok;
    } catch (const std::bad_alloc&) {
        return engine_.counters.count(Result::no_memory);
    }
}

template <class View, class C>
Result IsrManager<View, C>::remove_partition(std::string_view topic, PartitionId partition) {
    auto& partitions = engine_.partitions;
    if (engine_.stopped.load(std::memory_order_acquire))
        return engine_.counters.count(Result::shut_down);
    detail::Outcome outcome;
    {
        const std::lock_guard lock{registry_};
        const PartitionHandle handle = find(topic, partition);
        if (!handle) return engine_.counters.count(Result::unknown_partition);
        const detail::StateWord identity{handle.identity_};
        std::uint32_t number = 0;
        {
            detail::Partition p{partitions, *handle.word_, handle.identity_};
            number = p.line().topic;
            engine_.leave(p, outcome);
            groups_[identity.slot()] = Group{};
        }
        partitions.give_slot(identity);
        detail::Topic& left = partitions.topics.topic(number);
        if (--left.live == 0) partitions.topics.remove(left);
    }
    deliver(outcome);
    return Result::ok;
}

template <class View, class C>
Result IsrManager<View, C>::register_anew(std::string_view topic,
                                          PartitionId partition,
                                          const PartitionOptions& options) {
    const PartitionHandle handle = find(topic, partition);
    detail::Nodes assigned;
    const auto note_assigned = [&](detail::Partition& p, detail::Outcome&) {
        for (std::uint32_t i = 0; i < p.replicas().count(); ++i)
            assigned.push_back(p.replicas()[i]);
        return Result::ok;
    };
    if (const Result bad = with(handle, note_assigned); bad != Result::ok) return bad;
    detail::FirstSet first;
    const Result wrong =
        detail::first_set(engine_.self, detail::as_span(assigned), options, engine_.dead, first);
    if (wrong != Result::ok) return engine_.counters.count(wrong);
    try {
        const Group group = view_.find_group({topic, partition}, detail::as_span(assigned));
        const Now current = now();
        const auto begin = [&](detail::Partition& p, detail::Outcome& outcome) {
            if (!p.replicas().equals(detail::as_span(assigned))) return Result::superseded;
            const Result begun = engine_.begin_anew(p, first, options.min_isr, current, outcome);
            if (begun == Result::ok) groups_[p.slot()] = group;
            return begun;
        };
        if (const Result bad = with(handle, begin); bad != Result::ok) return bad;
    } catch (const std::bad_alloc&) {
        return engine_.counters.count(Result::no_memory);
    }
    first_look(handle);
    return Result::ok;
}

template <class View, class C>
Result IsrManager<View, C>::mark_dead(NodeId node) {
    if (node < 0) return engine_.counters.count(Result::invalid_node);
    try {
        engine_.dead.add(node);
    } catch (const std::bad_alloc&) {
        return engine_.counters.count(Result::no_memory);
    }
    return Result::ok;
}

template <class View, class C>
Result IsrManager<View, C>::mark_alive(NodeId node) {
    if (node < 0) return engine_.counters.count(Result::invalid_node);
    engine_.dead.remove(node);
    return Result::ok;
}

template <class View, class C>
Result IsrManager<View, C>::set_assignment(std::string_view topic,
                                           PartitionId partition,
                                           NodeList replicas) {
    detail::Nodes sorted;
    if (replicas.nodes().empty()) return engine_.counters.count(Result::empty_replicas);
    const Result bad = detail::sort_nodes(replicas.nodes(), sorted);
    if (bad != Result::ok) return engine_.counters.count(bad);
    const Now current = now();
    return with(find(topic, partition), [&](detail::Partition& p, detail::Outcome& outcome) {
        return engine_.reassign(p, detail::as_span(sorted), current, outcome);
    });
}

template <class View, class C>
Result IsrManager<View, C>::set_min_insync_replicas(std::string_view topic,
                                                    PartitionId partition,
                                                    int min_isr) {
    const Now current = now();
    return with(find(topic, partition), [&](detail::Partition& p, detail::Outcome& outcome) {
        return engine_.set_min_isr(p, min_isr, current, outcome);
    });
}

template <class View, class C>
Result IsrManager<View, C>::set_min_insync_replicas(std::string_view topic, int min_isr) {
    if (min_isr < 1) return engine_.counters.count(Result::invalid_min_isr);
    bool found = false;
    for_each_slot([&](const PartitionHandle& handle) {
        bool mine = false;
        const Now current = now();
        const auto apply = [&](detail::Partition& p, detail::Outcome& outcome) {
            mine = engine_.partitions.topics.topic(p.line().topic).name() == topic;
            return mine ? engine_.set_min_isr(p, min_isr, current, outcome) : Result::ok;
        };
        found = (with(handle, apply) == Result::ok && mine) || found;
    });
    return found ? Result::ok : engine_.counters.count(Result::unknown_partition);
}

template <class View, class C>
Result IsrManager<View, C>::apply_published_isr(std::string_view topic,
                                                PartitionId partition,
                                                const PublishedIsr& isr) {
    const Now current = now();
    return with(find(topic, partition), [&](detail::Partition& p, detail::Outcome& outcome) {
        return engine_.apply_published(p, isr, current, outcome);
    });
}

template <class View, class C>
template <IsrStore Store>
void IsrManager<View, C>::publish_to(Store& store) {
    auto publish =
        std::make_shared<Publish>([&store](TopicPartition partition, const PublishedIsr& isr) {
            store.publish(partition, isr);
        });
    {
        const std::lock_guard lock{publish_mutex_};
        publish_ = std::move(publish);
    }
    engine_.publishing.store(true);
    // What was decided before is not shown yet either, as far as anybody knows.
    for_each_slot([&](const PartitionHandle& handle) {
        (void)with(handle, [&](detail::Partition& p, detail::Outcome&) {
            if (p.line().leading != 0) p.line().unpublished = 1;
            engine_.partitions.flag(p.slot());
            return Result::ok;
        });
    });
}

} // namespace insync
