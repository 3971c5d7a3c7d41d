#include "mini_broker/log/memory_disk.hpp"
#include "raft/raft_group.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <string>

using namespace mini_broker;
using namespace std::chrono_literals;

namespace {

/// A loop whose workers never come back, as with a disk that neither works nor fails.
class StuckLoop final : public Loop {
public:
    TimePoint time{1s};

    [[nodiscard]] TimePoint now() const noexcept override { return time; }
    [[nodiscard]] std::int64_t wall_ms() const noexcept override { return 0; }
    void in_background(std::function<void()>, std::function<void()>) override { ++begun; }
    void after(Millis, std::function<void()>) override {}

    int begun = 0;
};

class NoPeers final : public Peers {
public:
    [[nodiscard]] std::string* outbox(NodeId) override { return nullptr; }
};

} // namespace

TEST_CASE("A node stops when a sync of its log does not return", "[raft]") {
    log_test::MemoryDisk disk;
    StuckLoop loop;
    NoPeers peers;
    RaftGroup group{7, 1, {1}, "group", {}, disk, loop, peers, {}};
    loop.time += 10s;
    group.tick();
    REQUIRE(group.leading());
    REQUIRE(group.propose_command("anything"));
    REQUIRE(loop.begun == 1);
    loop.time += 30s;
    group.tick();
    loop.time += 1ms;
    CHECK_THROWS_AS(group.tick(), DiskError);
}
