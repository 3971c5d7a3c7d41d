#include <insync/detail/name.hpp>
#include <insync/detail/published_state.hpp>
#include <insync/detail/reuse_guard.hpp>
#include <insync/detail/state_word.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>

using insync::detail::Cell;
using insync::detail::Decision;
using insync::detail::PublishedState;
using insync::detail::ReuseGuard;
using insync::detail::StateWord;

namespace {

/// One slot's registration and its state word.
struct State {
    ReuseGuard guard;
    PublishedState published{guard};
    Cell word{0};
    StateWord identity = StateWord::identity(3, 0);

    State() {
        for (std::uint32_t slot = 0; slot < 5; ++slot) {
            REQUIRE(published.reserve(slot));
            published.construct(slot);
        }
    }
    void publish(const Decision& decision) {
        const PublishedState::Lease lease{published};
        published.publish(lease, word, decision);
    }
    /// What a reader that came with `asked` is told last.
    Decision read(StateWord asked) const {
        Decision last;
        published.read(word, asked.identity(), [&](const Decision& seen) { last = seen; });
        return last;
    }
    Decision decision(std::uint32_t version) const {
        Decision d;
        d.word = identity.decided(0b101, 2, true);
        d.epoch = 7;
        d.version = version;
        d.replica_set = 9;
        d.changed_at = 1'000 + version;
        d.own = true;
        return d;
    }
};

bool same(const Decision& a, const Decision& b) {
    return a.word.bits() == b.word.bits() && a.epoch == b.epoch && a.version == b.version &&
           a.replica_set == b.replica_set && a.changed_at == b.changed_at && a.own == b.own &&
           a.stale == b.stale && a.named == b.named;
}

} // namespace

TEST_CASE("what was published is what is read", "[published_state]") {
    State s;
    s.publish(s.decision(1));
    CHECK(same(s.read(s.identity), s.decision(1)));
    s.publish(s.decision(2));
    CHECK(same(s.read(s.identity), s.decision(2)));
    CHECK(same(s.published.current(StateWord{s.word.load()}), s.decision(2)));
}

TEST_CASE("every field keeps its largest value and disturbs no other", "[published_state]") {
    State s;
    Decision d = s.decision(1);
    SECTION("epoch") {
        d.epoch = 0xffff'ffff;
    }
    SECTION("version") {
        d.version = 0xffff'ffff;
    }
    SECTION("replica set") {
        d.replica_set = (1u << 20) - 1;
    }
    SECTION("time") {
        d.changed_at = Decision::kMostTime;
    }
    SECTION("flags") {
        d.own = false;
        d.stale = true;
        d.named = true;
    }
    SECTION("members and leader") {
        d.word = s.identity.decided(0x7fff, 15, false);
    }
    s.publish(d);
    CHECK(same(s.read(s.identity), d));
}

TEST_CASE("a reader of a registration that has gone is told that it is absent",
          "[published_state]") {
    State s;
    s.publish(s.decision(1));
    s.word.store(0);
    CHECK_FALSE(s.read(s.identity).word.present());

    const StateWord next = StateWord::identity(3, 1); // the same slot, for another partition
    Decision d = s.decision(5);
    d.word = next.decided(0b1, 0, false);
    s.publish(d);
    CHECK_FALSE(s.read(s.identity).word.present());
    CHECK(same(s.read(next), d));
}

TEST_CASE("a decision that replaces another during a look is the one that is told",
          "[published_state]") {
    State s;
    s.publish(s.decision(1));
    int looks = 0;
    Decision last;
    s.published.read(s.word, s.identity.identity(), [&](const Decision& seen) {
        if (++looks == 1) s.publish(s.decision(2)); // a writer comes between the first look's words
        last = seen;
    });
    CHECK(looks == 2);
    CHECK(same(last, s.decision(2)));
}

TEST_CASE("a decision under way is read from its transit record, whole", "[published_state]") {
    // A writer that is stopped between its two steps must not stop readers.
    State s;
    s.publish(s.decision(1));
    Decision far = s.decision(2);
    {
        // What `publish` does first, up to the far word; then it is undone by the second step.
        const PublishedState::Lease lease{s.published};
        s.published.publish(lease, s.word, far);
        s.word.store(far.word.in_transit(0).bits());
        CHECK(StateWord{s.word.load()}.far());
        CHECK(StateWord{s.word.load()}.has_min() == far.word.has_min());
        CHECK(same(s.read(s.identity), far));
    }
}

TEST_CASE("each writer has a transit record of its own", "[published_state]") {
    State s;
    Cell other{0};
    const StateWord second = StateWord::identity(4, 0);
    const PublishedState::Lease first_lease{s.published};
    const PublishedState::Lease second_lease{s.published};
    Decision d = s.decision(8);
    d.word = second.decided(0b11, 1, true);
    s.published.publish(first_lease, s.word, s.decision(1));
    s.published.publish(second_lease, other, d);
    CHECK(same(s.read(s.identity), s.decision(1)));
    s.word.store(s.decision(1).word.in_transit(0).bits());
    other.store(d.word.in_transit(1).bits());
    CHECK(same(s.read(s.identity), s.decision(1))); // not overwritten by the other writer
}
