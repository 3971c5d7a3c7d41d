#include "cluster/refused_batches.hpp"

namespace mini_broker {
namespace {

/// Sequences wrap round, and far fewer than half of them are in flight at once.
bool comes_after(std::int32_t sequence, std::int32_t other) noexcept {
    constexpr std::uint32_t kHalf = 1u << 30;
    const std::uint32_t ahead =
        (static_cast<std::uint32_t>(sequence) - static_cast<std::uint32_t>(other)) & 0x7fffffffu;
    return ahead != 0 && ahead < kHalf;
}

} // namespace

void RefusedBatches::note(const ProducerBatch& batch, TimePoint now) {
    if (batch.producer < 0) return;
    const auto is_over = [now](const auto& each) { return now - each.second.at > kAwaited; };
    if (refused_.size() >= kMost) std::erase_if(refused_, is_over);
    if (refused_.size() >= kMost && !refused_.contains(batch.producer)) return;
    Refused& first = refused_[batch.producer];
    if (first.epoch == batch.epoch && comes_after(batch.first_sequence, first.first_sequence) &&
        now - first.at <= kAwaited)
        return;
    first = {batch.epoch, batch.first_sequence, now};
}

void RefusedBatches::taken(const ProducerBatch& batch) {
    const auto found = refused_.find(batch.producer);
    if (found == refused_.end()) return;
    const Refused& first = found->second;
    // A retry of something older says nothing about it.
    const bool before =
        first.epoch == batch.epoch && comes_after(first.first_sequence, batch.first_sequence);
    if (!before) refused_.erase(found);
}

bool RefusedBatches::is_behind(const ProducerBatch& batch, std::int32_t missing, TimePoint now) {
    const auto found = refused_.find(batch.producer);
    // Each gap once only, as the time would never be over. An older one was closed elsewhere.
    if (found == refused_.end() || found->second.epoch != batch.epoch ||
        found->second.first_sequence != missing)
        note({batch.producer, batch.epoch, missing, missing}, now);
    return is_behind(batch, now);
}

bool RefusedBatches::is_behind(const ProducerBatch& batch, TimePoint now) const {
    const auto found = refused_.find(batch.producer);
    return found != refused_.end() && found->second.epoch == batch.epoch &&
           comes_after(batch.first_sequence, found->second.first_sequence) &&
           now - found->second.at <= kAwaited;
}

} // namespace mini_broker
