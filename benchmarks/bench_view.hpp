#pragma once

#include "baselines/isr_value.hpp"

#include <insync/clock.hpp>
#include <insync/consensus_view.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bench {

/// Time as the benchmark sets it. Copies show the same time.
class BenchClock {
public:
    explicit BenchClock(const std::atomic<std::int64_t>& ms) : ms_(&ms) {}

    [[nodiscard]] insync::TimePoint now() const noexcept {
        return insync::TimePoint{insync::Millis{ms_->load(std::memory_order_relaxed)}};
    }
    [[nodiscard]] std::int64_t wall_ms() const noexcept {
        return ms_->load(std::memory_order_relaxed);
    }

private:
    const std::atomic<std::int64_t>* ms_;
};

/// A consensus layer that always leads, in epoch 1, groups of three. Its groups are rows of an
/// array, numbered as they are first asked for, and stand where the benchmark puts them.
class BenchView {
public:
    using Group = std::uint32_t;
    static constexpr auto contact_source = insync::ContactSource::request;

    struct Row {
        Index end = 0;
        std::array<Index, kFollowers.size()> match{};
        insync::TimePoint contact[kFollowers.size()]{};
        std::uint64_t version = 0;
    };

    explicit BenchView(std::size_t groups) : rows_(groups) {}

    [[nodiscard]] Group find_group(insync::TopicPartition, std::span<const NodeId>) {
        return next_++;
    }

    [[nodiscard]] insync::ReadResult read(const Group& group,
                                          insync::GroupState& state) const noexcept {
        const Row& row = rows_[group];
        state.epoch = 1;
        state.epoch_start = 1;
        state.leader = kSelf;
        state.leading = true;
        state.quorum = insync::Quorum::held;
        state.end = state.durable = state.commit = state.applied = row.end;
        for (std::size_t i = 0; i < kFollowers.size(); ++i) {
            state.followers.push_back(
                {kFollowers[i], insync::ReplicaKind::voter, true, row.match[i], row.contact[i]});
        }
        return insync::ReadResult::ok;
    }

    [[nodiscard]] insync::Millis contact_slack() const noexcept { return insync::Millis{0}; }

    [[nodiscard]] Row& row(Group group) { return rows_[group]; }

protected:
    [[nodiscard]] const Row& row(Group group) const { return rows_[group]; }

private:
    std::vector<Row> rows_;
    Group next_ = 0;
};

/// Reports every change, so that a sweep need not ask.
class PushingBenchView : public BenchView {
public:
    using BenchView::BenchView;
    static constexpr bool pushes = true;
};

/// Is asked at every sweep, and says by a number whether anything changed.
class VersionedBenchView : public BenchView {
public:
    using BenchView::BenchView;
    [[nodiscard]] std::uint64_t version(const Group& group) const noexcept {
        return row(group).version;
    }
};

static_assert(insync::PushingView<PushingBenchView>);
static_assert(insync::VersionedView<VersionedBenchView>);
static_assert(insync::Clock<BenchClock>);

} // namespace bench
