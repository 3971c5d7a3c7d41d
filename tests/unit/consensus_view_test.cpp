#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

using namespace std::chrono_literals;
using insync::ConsensusView;
using insync::ContactSource;
using insync::GroupState;
using insync::Millis;
using insync::NodeId;
using insync::PushingView;
using insync::ReadResult;
using insync::TopicPartition;
using insync::VersionedView;

namespace {

/// Only what the concept asks for. The near misses below replace one thing each.
struct Minimal {
    using Group = int;
    static constexpr ContactSource contact_source = ContactSource::response;
    Group find_group(TopicPartition, std::span<const NodeId>) { return 0; }
    ReadResult read(const Group&, GroupState&) noexcept { return ReadResult::ok; }
    Millis contact_slack() const noexcept { return 0ms; }
};

struct NoContacts : Minimal {
    static constexpr ContactSource contact_source = ContactSource::none;
};
struct ContactSourceOfOtherType : Minimal {
    static constexpr int contact_source = 2;
};
struct ReadMayThrow : Minimal {
    ReadResult read(const Group&, GroupState&) { return ReadResult::ok; }
};
struct ReadSaysBool : Minimal {
    bool read(const Group&, GroupState&) noexcept { return true; }
};
struct ReadWantsMutableGroup : Minimal {
    ReadResult read(Group&, GroupState&) noexcept { return ReadResult::ok; }
};
struct SlackMayThrow : Minimal {
    Millis contact_slack() const { return 0ms; }
};
struct SlackInSeconds : Minimal {
    std::chrono::seconds contact_slack() const noexcept { return 0s; }
};
struct GroupCannotBeCopied : Minimal {
    using Group = std::unique_ptr<int>;
    Group find_group(TopicPartition, std::span<const NodeId>) { return nullptr; }
    ReadResult read(const Group&, GroupState&) noexcept { return ReadResult::ok; }
};
struct GroupHasNoDefault : Minimal {
    struct Group {
        explicit Group(int) {}
    };
    Group find_group(TopicPartition, std::span<const NodeId>) { return Group{0}; }
    ReadResult read(const Group&, GroupState&) noexcept { return ReadResult::ok; }
};
struct FindsWithoutReplicas : Minimal {
    Group find_group(TopicPartition) { return 0; }
};
struct FindsAnotherType : Minimal {
    long find_group(TopicPartition, std::span<const NodeId>) { return 0; }
};
struct NoGroupType {
    [[maybe_unused]] static constexpr ContactSource contact_source = ContactSource::response;
    int find_group(TopicPartition, std::span<const NodeId>) { return 0; }
    ReadResult read(const int&, GroupState&) noexcept { return ReadResult::ok; }
    Millis contact_slack() const noexcept { return 0ms; }
};

struct Versioned : Minimal {
    std::uint64_t version(const Group&) noexcept { return 0; }
};
struct VersionMayThrow : Minimal {
    std::uint64_t version(const Group&) { return 0; }
};
struct VersionIsNarrow : Minimal {
    std::uint32_t version(const Group&) noexcept { return 0; }
};
struct Pushing : Minimal {
    static constexpr bool pushes = true;
};
struct SaysThatItDoesNotPush : Minimal {
    static constexpr bool pushes = false;
};
struct VersionWithoutView {
    using Group = int;
    std::uint64_t version(const Group&) noexcept { return 0; }
    [[maybe_unused]] static constexpr bool pushes = true;
};

} // namespace

TEST_CASE("a view with just what the concept names satisfies it", "[consensus_view]") {
    STATIC_REQUIRE(ConsensusView<Minimal>);
    STATIC_REQUIRE_FALSE(VersionedView<Minimal>);
    STATIC_REQUIRE_FALSE(PushingView<Minimal>);
}

TEST_CASE("a view that knows no time of contact is refused", "[consensus_view]") {
    // Lag in time could not be judged, and a dead follower of an idle partition would stay.
    STATIC_REQUIRE_FALSE(ConsensusView<NoContacts>);
}

TEST_CASE("near misses are no views", "[consensus_view]") {
    STATIC_REQUIRE_FALSE(ConsensusView<ContactSourceOfOtherType>);
    STATIC_REQUIRE_FALSE(ConsensusView<ReadMayThrow>);
    STATIC_REQUIRE_FALSE(ConsensusView<ReadSaysBool>);
    STATIC_REQUIRE_FALSE(ConsensusView<ReadWantsMutableGroup>);
    STATIC_REQUIRE_FALSE(ConsensusView<SlackMayThrow>);
    STATIC_REQUIRE_FALSE(ConsensusView<SlackInSeconds>);
    STATIC_REQUIRE_FALSE(ConsensusView<GroupCannotBeCopied>);
    STATIC_REQUIRE_FALSE(ConsensusView<GroupHasNoDefault>);
    STATIC_REQUIRE_FALSE(ConsensusView<FindsWithoutReplicas>);
    STATIC_REQUIRE_FALSE(ConsensusView<FindsAnotherType>);
    STATIC_REQUIRE_FALSE(ConsensusView<NoGroupType>);
    STATIC_REQUIRE_FALSE(ConsensusView<int>);
}

TEST_CASE("a view is versioned only with a 64-bit version that does not throw",
          "[consensus_view]") {
    STATIC_REQUIRE(VersionedView<Versioned>);
    STATIC_REQUIRE_FALSE(VersionedView<VersionMayThrow>);
    STATIC_REQUIRE_FALSE(VersionedView<VersionIsNarrow>);
    STATIC_REQUIRE_FALSE(VersionedView<VersionWithoutView>);
}

TEST_CASE("a view pushes only if it says so", "[consensus_view]") {
    STATIC_REQUIRE(PushingView<Pushing>);
    STATIC_REQUIRE_FALSE(PushingView<SaysThatItDoesNotPush>);
    STATIC_REQUIRE_FALSE(PushingView<Versioned>);
    STATIC_REQUIRE_FALSE(PushingView<VersionWithoutView>);
}

TEST_CASE("clearing a state forgets everything but who is tracked", "[consensus_view]") {
    constexpr std::array<NodeId, 2> kAssigned{1, 2};
    GroupState state;
    state.assigned = kAssigned;
    state.epoch = 4;
    state.epoch_start = 3;
    state.leader = 1;
    state.leading = true;
    state.quorum = insync::Quorum::held;
    state.end = state.durable = state.commit = state.applied = 9;
    state.membership = 2;
    state.followers.push_back({.node = 2});

    state.clear();
    const GroupState fresh;
    CHECK(state.epoch == fresh.epoch);
    CHECK(state.epoch_start == fresh.epoch_start);
    CHECK(state.leader == fresh.leader);
    CHECK(state.leading == fresh.leading);
    CHECK(state.quorum == fresh.quorum);
    CHECK(state.end == fresh.end);
    CHECK(state.durable == fresh.durable);
    CHECK(state.commit == fresh.commit);
    CHECK(state.applied == fresh.applied);
    CHECK(state.membership == fresh.membership);
    CHECK(state.followers.empty());
    CHECK(state.assigned.size() == 2);
}

TEST_CASE("what a view does not fill in counts as unknown, never as good", "[consensus_view]") {
    const GroupState state;
    CHECK_FALSE(state.leading);
    CHECK(state.leader == insync::kNoNode);
    CHECK(state.quorum == insync::Quorum::unreported);
    const insync::FollowerRow row;
    CHECK_FALSE(row.verified);
    CHECK(row.contact == insync::kNever);
}
