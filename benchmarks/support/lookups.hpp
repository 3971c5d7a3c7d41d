#pragma once

#include "baselines/coarse.hpp"
#include "baselines/sharded.hpp"
#include "baselines/tuned.hpp"
#include "support/runner.hpp"
#include "support/workload.hpp"
#include "support/world.hpp"

#include <cstdint>
#include <string_view>

namespace bench {

/// insync and the designs that answer the same two questions by name, all over one topology.
struct LookupDesigns {
    explicit LookupDesigns(std::uint32_t partitions,
                           insync::Millis sweep_interval = insync::Millis{1'000})
        : topology(partitions), queries(partitions), ours(topology, sweep_interval) {
        coarse.reserve(partitions);
        sharded.reserve(partitions);
        tuned.reserve(partitions);
        for (std::uint32_t i = 0; i < partitions; ++i) {
            const auto [topic, partition] = topology[i];
            coarse.add(topic, partition);
            sharded.add(topic, partition);
            tuned.add(topic, partition);
        }
        ours.initialize();
    }

    /// Ends the program unless all designs agree on every partition: fresh, after changes that only
    /// some partitions see, after they were taken back, and on partitions that do not exist.
    void check_same_answers() {
        expect_agreement();
        const auto change = [this](ReplicaBits third, ReplicaBits seventh) {
            for (std::uint32_t i = 0; i < topology.partitions(); ++i) {
                if (i % 7 == 0)
                    set_members(i, seventh);
                else if (i % 3 == 0)
                    set_members(i, third);
            }
        };
        change(0b011, 0b001);
        expect_agreement();
        require(!ours.has_min_isr(topology.topic(0), 0), "a change was not seen");
        change(kAllInSync, kAllInSync);
        expect_agreement();
        require(ours.has_min_isr(topology.topic(0), 0), "a change was not taken back");
        ours.advance_clock();
        ours.tick(); // lets go of what it kept for the changes
    }

    Topology topology;
    Queries queries;
    CoarseTracker coarse;
    ShardedTracker sharded;
    TunedTracker tuned;
    PushedWorld ours;

private:
    void set_members(std::uint32_t i, ReplicaBits bits) {
        const auto [topic, partition] = topology[i];
        coarse.set_members(topic, partition, bits);
        sharded.set_members(topic, partition, bits);
        tuned.set_members(topic, partition, bits);
        ours.set_members(topic, partition, bits);
    }

    void expect_agreement() const {
        for (std::uint32_t i = 0; i < topology.partitions(); ++i)
            expect_agreement(topology[i].topic, topology[i].partition);
        expect_agreement("no.such.topic.00000", 0);
        expect_agreement(topology.topic(0), 1'000'000);
    }
    void expect_agreement(std::string_view topic, std::int32_t partition) const {
        const bool has_min = coarse.has_min_isr(topic, partition);
        const std::uint64_t isr = digest_of(coarse, topic, partition);
        const auto agrees = [&](const auto& design) {
            return design.has_min_isr(topic, partition) == has_min &&
                   digest_of(design, topic, partition) == isr;
        };
        require(agrees(sharded), "the sharded baseline answers differently");
        require(agrees(tuned), "the tuned baseline answers differently");
        require(agrees(ours), "insync answers differently from the baselines");
    }
    template <class Design>
    static std::uint64_t digest_of(const Design& design,
                                   std::string_view topic,
                                   std::int32_t partition) {
        const auto isr = design.get_isr(topic, partition);
        return isr ? digest(*isr) : 0;
    }
};

/// `has_min_isr` by name, over the queries.
template <class Design>
Stream::Run has_min_by_name(const Design& design, const LookupDesigns& all) {
    return [&design, &all](std::uint64_t position, std::uint64_t count) {
        std::uint64_t yes = 0;
        for (std::uint64_t i = position; i < position + count; ++i) {
            const auto [topic, partition] = all.topology[all.queries.at(i)];
            yes += design.has_min_isr(topic, partition) ? 1 : 0;
        }
        return yes;
    };
}

/// `get_isr` by name, every member read.
template <class Design>
Stream::Run get_isr_by_name(const Design& design, const LookupDesigns& all) {
    return [&design, &all](std::uint64_t position, std::uint64_t count) {
        std::uint64_t sum = 0;
        for (std::uint64_t i = position; i < position + count; ++i) {
            const auto [topic, partition] = all.topology[all.queries.at(i)];
            const auto isr = design.get_isr(topic, partition);
            sum += isr ? digest(*isr) : 0;
        }
        return sum;
    };
}

} // namespace bench
