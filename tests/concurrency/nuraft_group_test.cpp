// NuRaft calls back on threads of its own while the manager's reads.
#include <insync/adapters/nuraft.hpp>
#include <insync/consensus_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using insync::GroupState;

namespace {

enum Type {
    ReceivedAppendEntriesReq,
    ReceivedAppendEntriesResp,
    BecomeLeader,
    BecomeFollower,
    NewConfig,
};
struct Param {
    const void* ctx;
};
struct Message {
    std::uint64_t term, next;
    [[nodiscard]] std::uint64_t get_term() const { return term; }
    [[nodiscard]] int get_src() const { return 2; }
    [[nodiscard]] bool get_accepted() const { return true; }
    [[nodiscard]] std::uint64_t get_next_idx() const { return next; }
};
struct Member {
    int id;
    [[nodiscard]] int get_id() const { return id; }
    [[nodiscard]] bool is_learner() const { return false; }
};
struct Config {
    std::vector<std::shared_ptr<Member>> members{std::make_shared<Member>(1),
                                                 std::make_shared<Member>(2)};
    [[nodiscard]] const auto& get_servers() const { return members; }
    [[nodiscard]] std::uint64_t get_log_idx() const { return 1; }
};
struct Server {
    std::shared_ptr<Config> config = std::make_shared<Config>();
    [[nodiscard]] auto get_config() const { return config; }
};

} // namespace

TEST_CASE("a NuRaft group is read whole while it is called back, opened and closed",
          "[nuraft][concurrency]") {
    insync::NuraftGroup<Server, Message, Message> group;
    std::atomic<bool> done{false};
    const auto note = [&](Type type, const void* what, insync::TimePoint now) {
        const Param param{what};
        group.note(type, &param, now);
    };
    std::thread calls{[&] {
        for (std::uint64_t term = 1; term <= 2000; ++term) {
            const insync::TimePoint now{insync::Millis{static_cast<std::int64_t>(term)}};
            const std::uint64_t config = 1;
            note(BecomeLeader, &term, now);
            note(NewConfig, &config, now);
            const Message answer{term, term + 1}; // so that match, term and time are one number
            note(ReceivedAppendEntriesResp, &answer, now);
            note(BecomeFollower, &term, now);
        }
        done = true;
    }};
    std::thread opens{[&] {
        const auto server = std::make_shared<Server>();
        while (!done) {
            group.open(server);
            group.close();
        }
        group.open(server);
    }};
    std::size_t mixed = 0;
    for (std::uint64_t epoch = 1; !done; epoch = epoch % 2000 + 1) {
        GroupState state;
        state.epoch = epoch;
        state.leading = true;
        group.fill(1, state);
        for (const auto& row : state.followers)
            if (row.verified && (row.match != epoch || row.contact.time_since_epoch().count() !=
                                                           static_cast<std::int64_t>(epoch)))
                ++mixed;
    }
    calls.join();
    opens.join();
    CHECK(mixed == 0);
    CHECK(group.server() != nullptr);
}
