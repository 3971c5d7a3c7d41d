#include <insync/detail/replica_sets.hpp>
#include <insync/detail/reuse_guard.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

using insync::NodeId;
using insync::detail::ReplicaSet;
using insync::detail::ReplicaSets;
using insync::detail::ReuseGuard;

namespace {

using Nodes = std::vector<NodeId>;

struct Sets {
    ReuseGuard guard;
    ReplicaSets sets{guard};

    std::uint32_t obtain(const Nodes& nodes) { return sets.obtain(nodes); }
    Nodes nodes(std::uint32_t id) const {
        Nodes all;
        for (std::uint32_t i = 0; i < sets[id].count(); ++i) all.push_back(sets[id][i]);
        return all;
    }
};

} // namespace

TEST_CASE("a set keeps its nodes, each at its position", "[replica_sets]") {
    Sets s;
    const ReplicaSet& set = s.sets[s.obtain({2, 5, 9})];
    CHECK(set.count() == 3);
    CHECK(set.position(2) == 0);
    CHECK(set.position(5) == 1);
    CHECK(set.position(9) == 2);
    CHECK(set.position(3) == ReplicaSet::kNone);
    CHECK(set.position(insync::kNoNode) == ReplicaSet::kNone);
    CHECK(set.equals(Nodes{2, 5, 9}));
    CHECK_FALSE(set.equals(Nodes{2, 5}));
    CHECK_FALSE(set.equals(Nodes{2, 5, 8}));
    CHECK_FALSE(set.equals(Nodes{2, 5, 9, 10}));
}

TEST_CASE("equal sets are one, different ones are not", "[replica_sets]") {
    Sets s;
    const auto id = s.obtain({1, 2, 3});
    CHECK(s.obtain({1, 2, 3}) == id);
    CHECK(s.obtain({1, 2}) != id);
    CHECK(s.obtain({1, 2, 4}) != id);
    CHECK(s.obtain({0, 1, 2, 3}) != id);
}

TEST_CASE("a set is used again only after its last reference has gone", "[replica_sets]") {
    Sets s;
    const auto id = s.obtain({1, 2, 3});
    CHECK(s.obtain({1, 2, 3}) == id);
    s.sets.release(id);
    CHECK(s.obtain({7, 8, 9}) != id);
    CHECK(s.nodes(id) == Nodes{1, 2, 3});
    s.sets.release(id);
    CHECK(s.obtain({4, 5, 6}) == id);
    CHECK(s.nodes(id) == Nodes{4, 5, 6});
    CHECK(s.obtain({1, 2, 3}) != id); // it is not found under its old name any more
}

TEST_CASE("while a reader holds no set is used again", "[replica_sets]") {
    Sets s;
    const auto id = s.obtain({1, 2, 3});
    s.sets.release(id);
    {
        const ReuseGuard::Holder reader{s.guard};
        CHECK(s.obtain({4, 5, 6}) != id);
    }
    CHECK(s.obtain({7, 8, 9}) == id);
}

TEST_CASE("a set may have as many nodes as a partition may have replicas", "[replica_sets]") {
    Sets s;
    Nodes nodes;
    for (NodeId node = 0; node < static_cast<NodeId>(insync::kMaxReplicas); ++node)
        nodes.push_back(node * 1'000'000'000'000);
    const auto id = s.obtain(nodes);
    CHECK(s.nodes(id) == nodes);
    CHECK(s.sets[id].position(nodes.back()) == insync::kMaxReplicas - 1);
}

TEST_CASE("sets behave like a counted map under any order of coming and going", "[replica_sets]") {
    const std::uint32_t seed = 7'031;
    CAPTURE(seed);
    std::mt19937 random{seed};
    Sets s;
    struct Entry {
        std::uint32_t id = 0;
        int references = 0;
    };
    std::map<Nodes, Entry> model;
    for (int step = 0; step < 20'000; ++step) {
        const auto first = static_cast<NodeId>(random() % 8);
        const Nodes nodes{first, first + 1 + static_cast<NodeId>(random() % 4), first + 6};
        Entry& entry = model[nodes];
        if (random() % 2 == 0) {
            const auto id = s.obtain(nodes);
            if (entry.references > 0) REQUIRE(id == entry.id);
            entry.id = id;
            ++entry.references;
        } else if (entry.references > 0) {
            s.sets.release(entry.id);
            --entry.references;
        }
    }
    std::map<std::uint32_t, Nodes> used;
    for (const auto& [nodes, entry] : model) {
        if (entry.references == 0) continue;
        CHECK(s.nodes(entry.id) == nodes);
        CHECK(used.emplace(entry.id, nodes).second); // no id stands for two sets
    }
}
