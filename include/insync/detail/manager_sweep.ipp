// Part of isr_manager.hpp. The sweep.

namespace insync {

/// The partition in a slot; a null handle when there is none.
template <class View, class C>
PartitionHandle IsrManager<View, C>::handle_of(std::uint32_t slot) const noexcept {
    const detail::Partition p{engine_.partitions, slot};
    if (!p.found()) return PartitionHandle{};
    return PartitionHandle{&p.word(), p.decision.word.identity()};
}

/// Calls `visit(handle)` for every partition that is registered throughout.
template <class View, class C>
template <class Visit>
void IsrManager<View, C>::for_each_slot(const Visit& visit) const {
    const std::uint32_t slots = engine_.partitions.slot_count();
    for (std::uint32_t slot = 0; slot < slots; ++slot)
        if (const PartitionHandle handle = handle_of(slot)) visit(handle);
}

template <class View, class C>
void IsrManager<View, C>::tick() {
    const Now current = now();
    detail::Outcome outcome;
    engine_.waits.expire(current.time, outcome.ended);
    deliver(outcome);
    const auto time = current.time.time_since_epoch().count();
    if (time < next_sweep_.load(std::memory_order_relaxed) &&
        time < next_retry_.load(std::memory_order_relaxed))
        return;
    if (engine_.stopped.load(std::memory_order_acquire)) return;
    // One sweep at a time: what only the sweep writes has one writer, handed on by this flag.
    if (sweeping_.exchange(true, std::memory_order_acquire)) return;
    if (time >= next_sweep_.load(std::memory_order_relaxed))
        sweep(current);
    else if (time >= next_retry_.load(std::memory_order_relaxed))
        retry(current);
    sweeping_.store(false, std::memory_order_release);
}

template <class View, class C>
TimePoint IsrManager<View, C>::next_deadline() const noexcept {
    const TimePoint sweep{Millis{next_sweep_.load(std::memory_order_relaxed)}};
    const TimePoint retry{Millis{next_retry_.load(std::memory_order_relaxed)}};
    return std::min({sweep, retry, engine_.waits.next_deadline()});
}

template <class View, class C>
Millis IsrManager<View, C>::last_sweep_duration() const noexcept {
    return Millis{sweep_duration_.load(std::memory_order_relaxed)};
}

/// Judges every partition that may have changed (S4). A sweep that comes late evicts nobody: the
/// gap is our own pause, not the followers'. The next one judges, however late it is (S3).
template <class View, class C>
void IsrManager<View, C>::sweep(Now now) {
    const TimePoint last{Millis{last_sweep_.load(std::memory_order_relaxed)}};
    const Millis interval = engine_.config.check_interval_ms;
    const bool late = saturating_age(now.time, last) > 2 * interval;
    typename Engine::Judging terms;
    terms.may_evict = !late || stalled_.load(std::memory_order_relaxed);
    terms.last_sweep = engine_.timeline.stamp(last, now.time);
    terms.saw_all = !PushingView<View>;
    stalled_.store(!terms.may_evict, std::memory_order_relaxed);
    last_sweep_.store(now.time.time_since_epoch().count(), std::memory_order_relaxed);
    next_sweep_.store(saturating_add(now.time, interval).time_since_epoch().count(),
                      std::memory_order_relaxed);
    swept_.store(true, std::memory_order_relaxed);
    detail::AtomicCounters::add(engine_.counters.sweeps);
    detail::AtomicCounters::add(engine_.counters.stalled_sweeps, terms.may_evict ? 0 : 1);
    if constexpr (PushingView<View>) renew_blocks(now);
    failed_reads_.clear(); // the sweep reads them all
    retry_from_ = 0;       // or a retry that wraps round would read one twice, and leave one out

    using Blocks = detail::GeometricSlab<detail::Block, 4>;
    const auto& blocks = engine_.partitions.blocks();
    const std::uint32_t count =
        (engine_.partitions.slot_count() + detail::Block::kSlots - 1) / detail::Block::kSlots;
    for (unsigned chunk = 0; Blocks::chunk_begin(chunk) < count; ++chunk) {
        const std::uint32_t begin = Blocks::chunk_begin(chunk);
        const std::uint32_t size = std::min(Blocks::chunk_size(chunk), count - begin);
        detail::Block* const first = blocks.chunk(chunk);
        for (std::uint32_t i = 0; i < size; ++i) {
            if constexpr (PushingView<View>)
                if (first[i].flagged.load(std::memory_order_relaxed) == 0 &&
                    detail::is_later(first[i].due, now.stamp)) [[likely]]
                    continue;
            sweep_block(first[i], begin + i, now, terms);
        }
    }
    schedule_retry(now);
    const auto took = saturating_age(this->now().time, now.time).count();
    sweep_duration_.store(took, std::memory_order_relaxed);
}

/// A read that fails is usually a lock that was taken: it is read again an eighth of an interval
/// later, not after a whole one, or a busy partition would be taken for one that is lost (S2).
template <class View, class C>
void IsrManager<View, C>::schedule_retry(Now now) noexcept {
    const Millis pause = std::max(engine_.config.check_interval_ms / 8, Millis{1});
    const TimePoint next =
        failed_reads_.empty() ? TimePoint::max() : saturating_add(now.time, pause);
    next_retry_.store(next.time_since_epoch().count(), std::memory_order_relaxed);
}

/// Reads partitions again whose last read failed, so many at a time that in one interval it is
/// about one more sweep's work at most. Without failures it has none.
template <class View, class C>
void IsrManager<View, C>::retry(Now now) {
    const std::size_t most = std::max<std::size_t>(engine_.partitions.slot_count() / 8, 4096);
    typename Engine::Judging terms;
    terms.may_evict = !stalled_.load(std::memory_order_relaxed);
    terms.last_sweep = engine_.timeline.stamp(
        TimePoint{Millis{last_sweep_.load(std::memory_order_relaxed)}}, now.time);
    terms.saw_all = false;
    std::size_t at = retry_from_;
    for (std::size_t left = std::min(most, failed_reads_.size()); left > 0; --left) {
        if (at >= failed_reads_.size()) at = 0;
        const detail::StateWord identity{failed_reads_[at]};
        const std::uint32_t slot = identity.slot();
        typename Engine::Judging judging = terms;
        Result result = Result::ok;
        {
            detail::Partition p{engine_.partitions, slot};
            const bool same = p.found() && p.decision.word.identity() == identity.bits();
            if (same) result = engine_.counters.count(observe_locked(p, now, judging));
        }
        if (is_failed_read(result)) {
            ++at;
            continue;
        }
        failed_reads_[at] = failed_reads_.back();
        failed_reads_.pop_back();
        detail::Block& block = engine_.partitions.block_of(slot);
        block.due = detail::earlier(block.due, judging.expiry);
        if (judging.attention) engine_.partitions.flag(slot);
    }
    retry_from_ = at;
    schedule_retry(now);
}

template <class View, class C>
void IsrManager<View, C>::sweep_block(detail::Block& block,
                                      std::uint32_t number,
                                      Now now,
                                      const typename Engine::Judging& terms) {
    const std::uint64_t present = block.present.load(std::memory_order_acquire);
    std::uint64_t flagged = block.flagged.load(std::memory_order_relaxed);
    if (flagged != 0) flagged = block.flagged.exchange(0, std::memory_order_acquire);
    const bool late = !detail::is_later(block.due, now.stamp);
    const std::uint64_t asked = PushingView<View> && !late ? flagged & present : present;
    detail::Stamp due = detail::after(now.stamp, engine_.max_lag);
    std::uint64_t again = 0;
    for (std::uint64_t rest = asked; rest != 0; rest &= rest - 1) {
        const auto bit = static_cast<std::uint32_t>(std::countr_zero(rest));
        typename Engine::Judging judging = terms;
        judging.expiry = due;
        const bool must_read = (flagged >> bit & 1) != 0 || (late && !PushingView<View>);
        sweep_slot(number * detail::Block::kSlots + bit, must_read, now, judging);
        due = detail::earlier(due, judging.expiry);
        if (judging.attention) again |= 1ull << bit;
    }
    // Whoever was not looked at keeps its earlier time.
    block.due = late ? due : detail::earlier(block.due, due);
    if (again != 0) block.flagged.fetch_or(again, std::memory_order_release);
}

template <class View, class C>
void IsrManager<View, C>::sweep_slot(std::uint32_t slot,
                                     bool must_read,
                                     Now now,
                                     typename Engine::Judging& judging) {
    detail::Partition p{engine_.partitions, slot};
    if (!p.found()) return;
    if constexpr (PushingView<View>) {
        if (!must_read && !engine_.expires(p, now, judging)) return;
    } else if constexpr (VersionedView<View>) {
        if (!must_read) {
            const Group group = groups_[slot];
            const std::uint64_t seen = seen_versions_[slot];
            p.unlock();
            if (view_.version(group) == seen) return;
            p.lock_again();
            if (!p.found()) return;
        }
    }
    const std::uint64_t identity = p.decision.word.identity();
    const Result result = engine_.counters.count(observe_locked(p, now, judging));
    if (!is_failed_read(result)) return;
    try {
        failed_reads_.push_back(identity);
    } catch (const std::bad_alloc&) { // the next sweep reads it
        (void)engine_.counters.count(Result::no_memory);
    }
}

/// Renews the blocks in which every partition was claimed fresh since the current period began, and
/// begins the next period: one pass over a byte for each partition, four times a `max_lag_ms`.
template <class View, class C>
void IsrManager<View, C>::renew_blocks(Now now) {
    auto& partitions = engine_.partitions;
    const bool derived = engine_.derives_quorum.load(std::memory_order_relaxed);
    const std::uint32_t limit =
        derived ? std::min(engine_.max_lag, engine_.quorum_contact) : engine_.max_lag;
    if (detail::age(now.stamp, period_start_) < std::max(limit / 4, 1u)) return;
    const auto period =
        static_cast<std::uint8_t>(engine_.period.load(std::memory_order_relaxed) & 0xff);
    const detail::Stamp good_until = detail::after(period_start_, limit + 1);
    const std::uint32_t slots = partitions.slot_count();
    constexpr std::uint32_t kAhead = 24 * detail::Block::kSlots;
    for (std::uint32_t slot = 0; slot < slots; slot += detail::Block::kSlots) {
        if (slot + kAhead < slots) __builtin_prefetch(&partitions.freshness_of(slot + kAhead));
        const detail::Freshness* const words = &partitions.freshness_of(slot);
        const std::uint32_t used = std::min(slots - slot, detail::Block::kSlots);
        const bool fresh = detail::Freshness::all(words, (used + 7) / 8, period);
        if (!fresh) continue;
        detail::Block& block = partitions.block_of(slot);
        block.due = detail::later(block.due, good_until);
    }
    period_start_ = now.stamp;
    const std::uint64_t next = period % detail::Freshness::kPeriods + 1u;
    engine_.period.store(std::uint64_t{now.stamp.value} << 8 | next, std::memory_order_relaxed);
}

} // namespace insync
