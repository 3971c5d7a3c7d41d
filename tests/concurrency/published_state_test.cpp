// C1, C2, C3: what readers see of one partition while it changes under them.
#include <insync/detail/published_state.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

using namespace insync::detail;

namespace {

/// A decision all of whose parts follow from its number, so that a torn one shows.
Decision decision(std::uint32_t n) {
    Decision d;
    const auto members = static_cast<Mask>(n % 0x7fff + 1);
    d.word = StateWord::identity(0, 7).decided(members, n % 15, n % 3 == 0);
    d.epoch = n / 4;
    d.version = n;
    d.replica_set = n % 1000;
    d.changed_at = std::uint64_t{n} * 5;
    d.own = n % 2 == 0;
    d.stale = n % 5 == 0;
    return d;
}

bool is_whole(const Decision& d) {
    const Decision right = decision(d.version);
    return d.word.bits() == right.word.bits() && d.epoch == right.epoch &&
           d.replica_set == right.replica_set && d.changed_at == right.changed_at &&
           d.own == right.own && d.stale == right.stale;
}

/// One slot, its state word, and who writes to them.
struct World {
    ReuseGuard guard;
    PublishedState state{guard};
    Cell word{0};
    std::uint64_t identity = StateWord::identity(0, 7).identity();

    World() {
        REQUIRE(state.reserve(0));
        state.construct(0);
        publish(0);
    }
    void publish(std::uint32_t n) {
        const PublishedState::Lease lease{state};
        state.publish(lease, word, decision(n));
    }
    [[nodiscard]] Decision read() const {
        Decision seen;
        state.read(word, identity, [&](const Decision& d) { seen = d; });
        return seen;
    }
};

template <class Condition>
bool comes_true(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (std::chrono::steady_clock::now() < deadline) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return false;
}

} // namespace

TEST_CASE("a read is whole, of the time of the call, and never older than the one before",
          "[concurrency]") {
    constexpr std::uint32_t kChanges = 60'000;
    World world;
    std::atomic<std::uint32_t> begun{0};
    std::atomic<std::uint32_t> done{0};
    std::atomic<int> torn{0};
    std::atomic<int> untimely{0};
    std::atomic<int> backwards{0};
    std::atomic<std::uint64_t> reads{0};
    const auto reader = [&] {
        std::uint32_t last = 0;
        do {
            const std::uint32_t least = done.load();
            const Decision seen = world.read();
            const std::uint32_t most = begun.load();
            torn += is_whole(seen) ? 0 : 1;
            untimely += seen.version >= least && seen.version <= most ? 0 : 1;
            backwards += seen.version >= last ? 0 : 1;
            last = seen.version;
            ++reads;
        } while (done.load() < kChanges);
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(reader);
    for (std::uint32_t n = 1; n <= kChanges; ++n) {
        begun = n;
        world.publish(n);
        done = n;
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(torn == 0);
    CHECK(untimely == 0);
    CHECK(backwards == 0);
    CHECK(reads > 0);
}

TEST_CASE("what changed while it was being read is not believed", "[concurrency]") {
    World world;
    std::uint32_t looks = 0;
    Decision seen;
    world.state.read(world.word, world.identity, [&](const Decision& d) {
        seen = d;
        if (++looks <= 2) world.publish(looks); // in the middle of the first two looks
    });
    CHECK(looks == 3);
    CHECK(seen.version == 2);
    CHECK(is_whole(seen));
}

TEST_CASE("a look-up during which memory was used again is repeated", "[concurrency]") {
    ReuseGuard guard;
    int looks = 0;
    const int seen = guard.read([&] {
        if (++looks <= 2) CHECK(guard.may_reuse());
        return looks;
    });
    CHECK(seen == 3);
    const int insisted = guard.read([&] {
        return guard.may_reuse() ? 1 : -1; // every time, until the reader holds
    });
    CHECK(insisted == -1);
}

TEST_CASE("a writer that is stopped in the middle of a change delays no reader", "[concurrency]") {
    World world;
    auto holder = std::make_unique<ReuseGuard::Holder>(world.guard);
    // The writer has put the change in force and now waits for the holder, before it rewrites the
    // slot: as good as stopped.
    std::thread writer{[&] { world.publish(1); }};
    const bool in_force = comes_true([&] { return world.read().version == 1; });
    const bool in_transit = StateWord{world.word.load()}.far();
    const bool whole = is_whole(world.read());
    holder.reset();
    writer.join();
    CHECK(in_force);
    CHECK(in_transit);
    CHECK(whole);
    CHECK_FALSE(StateWord{world.word.load()}.far());
    CHECK(is_whole(world.read()));
}

TEST_CASE("a reader that holds is shown one whole decision, however fast they change",
          "[concurrency]") {
    World world;
    std::atomic<bool> stop{false};
    std::atomic<std::uint32_t> written{0};
    std::thread writer{[&] {
        for (std::uint32_t n = 1; !stop; ++n) {
            world.publish(n);
            written = n;
        }
    }};
    int torn = 0;
    for (int i = 0; i < 3'000; ++i) {
        const ReuseGuard::Holder holder{world.guard}; // as the last try of a reader does
        torn += is_whole(world.read()) ? 0 : 1;
    }
    const bool goes_on = comes_true([&, before = written.load()] { return written > before + 2; });
    stop = true;
    writer.join();
    CHECK(torn == 0);
    CHECK(goes_on);
}

TEST_CASE("several writers of several partitions do not disturb each other", "[concurrency]") {
    constexpr std::uint32_t kWriters = 4;
    ReuseGuard guard;
    PublishedState state{guard};
    std::array<Cell, kWriters> words{};
    for (std::uint32_t slot = 0; slot < kWriters; ++slot) {
        REQUIRE(state.reserve(slot));
        state.construct(slot);
    }
    const auto at = [](std::uint32_t slot, std::uint32_t n) {
        Decision d = decision(n);
        d.word = StateWord::identity(slot, 7).decided(d.word.members(), n % 15, n % 3 == 0);
        return d;
    };
    std::atomic<int> wrong{0};
    const auto write = [&](std::uint32_t slot) {
        for (std::uint32_t n = 1; n <= 10'000; ++n) {
            const PublishedState::Lease lease{state};
            state.publish(lease, words[slot], at(slot, n));
            Decision seen;
            state.read(words[slot], StateWord::identity(slot, 7).identity(),
                       [&](const Decision& d) { seen = d; });
            wrong += seen.version == n && seen.word.bits() == at(slot, n).word.bits() ? 0 : 1;
        }
    };
    std::vector<std::thread> threads;
    for (std::uint32_t slot = 0; slot < kWriters; ++slot) threads.emplace_back(write, slot);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}
