// Part of isr_manager.hpp. Construction, the clock, one observation of one partition.

namespace insync {

namespace detail {

inline IsrConfig validated(const IsrConfig& config, Millis contact_slack) {
    if (const auto error = validate(config, contact_slack))
        throw std::invalid_argument("insync::IsrConfig: " + error->what);
    return config;
}

/// Differs from manager to manager and from run to run, so that names which collide cannot be
/// chosen from outside.
inline std::uint64_t hash_seed(const void* manager, TimePoint now) noexcept {
    return mix(reinterpret_cast<std::uintptr_t>(manager) ^ 0x9e37'79b9'7f4a'7c15,
               static_cast<std::uint64_t>(now.time_since_epoch().count()) ^ 0xd6e8'feb8'6659'fd93);
}

} // namespace detail

template <class View, class C>
IsrManager<View, C>::IsrManager(NodeId self, View& view, const IsrConfig& config, C clock)
    : engine_(self,
              detail::validated(config, view.contact_slack()),
              clock.now(),
              detail::hash_seed(this, clock.now())),
      view_(view),
      clock_(std::move(clock)) {
    if (self < 0) throw std::invalid_argument("insync::IsrManager: self must not be negative");
    const Now start = now();
    last_sweep_.store(start.time.time_since_epoch().count());
    next_sweep_.store(start.time.time_since_epoch().count());
    period_start_ = start.stamp;
    engine_.pushes = PushingView<View>;
    engine_.period.store(std::uint64_t{start.stamp.value} << 8 | 1);
}

template <class View, class C>
IsrManager<View, C>::~IsrManager() {
    shut_down();
    for (std::uint32_t i = 0; i < groups_constructed_; ++i) groups_[i].~Group();
}

/// The clock's time, never earlier than what was seen before (S11).
template <class View, class C>
auto IsrManager<View, C>::now() noexcept -> Now {
    auto t = clock_.now().time_since_epoch().count();
    auto latest = latest_.load(std::memory_order_relaxed);
    if (t < latest) [[unlikely]] {
        // Another thread may just have been quicker: then the clock, asked again, says so.
        t = clock_.now().time_since_epoch().count();
        if (t < latest) {
            detail::AtomicCounters::add(engine_.counters.clock_steps_back);
            return engine_.at(TimePoint{Millis{latest}});
        }
    }
    while (t > latest) {
        const TimePoint before{Millis{latest}};
        const TimePoint after{Millis{t}};
        if (!latest_.compare_exchange_weak(latest, t, std::memory_order_relaxed)) continue;
        if (before != TimePoint::min()) engine_.timeline.step(saturating_age(after, before));
    }
    return engine_.at(TimePoint{Millis{std::max<std::int64_t>(t, latest)}});
}

/// Runs `work(partition, outcome)` with the partition locked, then tells what came of it.
template <class View, class C>
template <class Work>
Result IsrManager<View, C>::with(const PartitionHandle& handle,
                                 const Work& work,
                                 detail::Partition::Want want) {
    if (engine_.stopped.load(std::memory_order_acquire))
        return engine_.counters.count(Result::shut_down);
    if (handle.word_ == nullptr) return engine_.counters.count(Result::unknown_partition);
    detail::Outcome outcome;
    Result result = Result::unknown_partition;
    {
        detail::Partition p{engine_.partitions, *handle.word_, handle.identity_, want};
        if (p.found()) [[likely]]
            result = work(p, outcome);
    }
    if (engine_.events.pending() || !outcome.empty()) [[unlikely]]
        deliver(outcome);
    return engine_.counters.count(result);
}

template <class View, class C>
void IsrManager<View, C>::deliver(detail::Outcome& outcome) noexcept {
    engine_.events.drain();
    if (!outcome.ended.empty()) {
        const std::size_t thrown = outcome.ended.deliver();
        detail::AtomicCounters::add(engine_.counters.callbacks_thrown, thrown);
    }
    if (outcome.publish_word != nullptr)
        publish_decision(*outcome.publish_word, outcome.publish_identity);
}

/// Hands the newest own decision to the store (S8). What fails is sent again by the next sweep.
template <class View, class C>
void IsrManager<View, C>::publish_decision(detail::Cell& word, std::uint64_t identity) noexcept {
    try {
        std::string topic;
        PartitionId partition = 0;
        PublishedIsr isr;
        std::shared_ptr<Publish> publish;
        {
            const detail::Partition p{engine_.partitions, word, identity};
            if (!p.found() || p.line().unpublished == 0 || p.line().leading == 0) return;
            topic = engine_.partitions.topics.topic(p.line().topic).name();
            partition = static_cast<PartitionId>(p.line().partition);
            isr = PublishedIsr{engine_.isr_set(p.decision)};
        }
        {
            const std::lock_guard lock{publish_mutex_};
            publish = publish_;
        }
        if (publish) (*publish)(TopicPartition{topic, partition}, isr);
    } catch (...) {
        detail::AtomicCounters::add(engine_.counters.callbacks_thrown);
    }
}

template <class View, class C>
Result IsrManager<View, C>::observe(const PartitionHandle& handle,
                                    Now now,
                                    Engine::Judging& judging) {
    if (engine_.stopped.load(std::memory_order_acquire)) return Result::shut_down;
    if (handle.word_ == nullptr) return Result::unknown_partition;
    detail::Partition p{engine_.partitions, *handle.word_, handle.identity_,
                        detail::Partition::Want::line};
    return p.found() ? observe_locked(p, now, judging) : Result::unknown_partition;
}

/// Reads the view for one partition and applies the rules. The view is called with the partition
/// unlocked; if somebody else has observed it meanwhile, what was read may be older than what is
/// known, so it is read again.
template <class View, class C>
Result IsrManager<View, C>::observe_locked(detail::Partition& p,
                                           Now now,
                                           Engine::Judging& judging) {
    judging.expiry = detail::after(now.stamp, engine_.max_lag);
    GroupState state;
    std::array<NodeId, kMaxReplicas> assigned; // only the first are used
    for (int tries = 0; tries < 3 && p.found(); ++tries) {
        const std::uint64_t observation = p.line().observation;
        const std::uint64_t pushes = p.line().pushes;
        const Group group = groups_[p.slot()];
        const std::uint32_t replicas = p.replicas().count();
        for (std::uint32_t i = 0; i < replicas; ++i) assigned[i] = p.replicas()[i];
        p.unlock();
        state.assigned = {assigned.data(), replicas};
        state.clear();
        std::uint64_t version = 0;
        if constexpr (VersionedView<View>) version = view_.version(group);
        const ReadResult read = view_.read(group, state);
        detail::AtomicCounters::add(engine_.counters.views_read);
        p.lock_again();
        if (!p.found() || p.line().observation != observation) continue;
        judging.pushed = p.line().pushes != pushes;
        detail::Outcome outcome;
        const Result result = engine_.take_in(p, read, state, now, judging, outcome);
        if constexpr (VersionedView<View>) seen_versions_[p.slot()] = version;
        p.unlock();
        if (engine_.events.pending() || !outcome.empty()) deliver(outcome);
        return result;
    }
    judging.attention = p.found();
    return p.found() ? Result::superseded : Result::unknown_partition;
}

template <class View, class C>
Result IsrManager<View, C>::update_isr(const PartitionHandle& handle) {
    const Now current = now();
    const TimePoint last{Millis{last_sweep_.load(std::memory_order_relaxed)}};
    const bool overdue = saturating_age(current.time, last) > 2 * engine_.config.check_interval_ms;
    const bool swept = swept_.load(std::memory_order_relaxed);
    typename Engine::Judging judging;
    judging.last_sweep =
        swept && !overdue ? engine_.timeline.stamp(last, current.time) : current.stamp;
    judging.saw_all = swept && !overdue && !PushingView<View>;
    // Where sweeps are overdue or have just come late, that is our own pause: the next one judges.
    judging.may_evict = !swept || (!overdue && !stalled_.load(std::memory_order_relaxed));
    const Result result = observe(handle, current, judging);
    // The sweep keeps the times at which partitions expire; let it learn this one's.
    notify(handle);
    return engine_.counters.count(result);
}

template <class View, class C>
Result IsrManager<View, C>::update_isr(std::string_view topic, PartitionId partition) {
    return update_isr(find(topic, partition));
}

template <class View, class C>
void IsrManager<View, C>::notify(const PartitionHandle& handle) noexcept {
    if (handle.word_ != nullptr)
        engine_.partitions.flag(detail::StateWord{handle.identity_}.slot());
}

} // namespace insync
