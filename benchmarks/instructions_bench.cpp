// Retired instructions of one operation: the figure that no neighbour disturbs.
//
// Counted by the processor where that is allowed, else by callgrind, under which this program runs
// itself, once for each operation. What the loop around the operation takes is taken off.

#include "baselines/sharded.hpp"
#include "baselines/tuned.hpp"
#include "support/instructions.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"
#include "support/workload.hpp"
#include "support/world.hpp"

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace bench;

constexpr std::uint32_t kPartitions = 10'000;
constexpr std::uint32_t kOperations = 2 * kPartitions; // every follower of every partition

/// All partitions are settled; the leaders have appended an entry that nobody holds yet, or not.
struct Setting {
    explicit Setting(bool appended) : topology(kPartitions), ours(topology) {
        ours.initialize();
        for (std::uint32_t i = 0; i < kPartitions; ++i) {
            sharded.add(topology[i].topic, topology[i].partition);
            tuned.add(topology[i].topic, topology[i].partition);
            ours.append(i, 1);
            for (std::size_t follower = 0; follower < kFollowers.size(); ++follower)
                ours.acknowledge(i, follower, 1);
        }
        ours.advance_clock();
        ours.tick();
        ours.heartbeat_all(); // now every partition is known to be fresh for a while
        ours.advance_clock();
        for (std::uint32_t i = 0; appended && i < kPartitions; ++i) ours.append(i, 2);
    }

    Topology topology;
    PushedWorld ours;
    ShardedTracker sharded;
    TunedTracker tuned;
};

/// The function that is counted. `operation` is inlined into it.
template <class Operation>
[[gnu::noinline]] void counted_loop(Setting& setting, const Operation& operation) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < kOperations; ++i)
        sum += operation(setting.topology[i / 2], kFollowers[i % 2]);
    keep(sum);
}

struct Operation {
    std::string name;
    std::function<void(Setting&)> run;
    double most = -1;
    double aim = -1;
    bool appended = false;
};

template <class Design>
std::uint64_t isr_digest(const Design& design, insync::TopicPartition p) {
    const auto isr = design.get_isr(p.topic, p.partition);
    return isr ? digest(*isr) : 0;
}

std::uint64_t record(PushedWorld& world, insync::TopicPartition p, NodeId node, Index match) {
    const auto result =
        world.isr().record_progress(p.topic, p.partition, 1, node, match, world.now());
    return result == insync::Result::ok ? 1 : 0;
}

/// The first is the loop alone.
const std::vector<Operation>& operations() {
    using P = insync::TopicPartition;
    static const std::vector<Operation> all{
        {"loop",
         [](Setting& s) {
             counted_loop(s, [](P p, NodeId node) {
                 keep(p.topic.data());
                 return p.topic.size() + static_cast<std::uint64_t>(p.partition + node);
             });
         }},
        {"has_min_isr by name",
         [](Setting& s) {
             counted_loop(s, [&s](P p, NodeId) {
                 return s.ours.has_min_isr(p.topic, p.partition) ? 1u : 0u;
             });
         },
         130, 100},
        {"get_isr by name, members read",
         [](Setting& s) { counted_loop(s, [&s](P p, NodeId) { return isr_digest(s.ours, p); }); },
         160, 120},
        {"record_progress by name, heartbeat",
         [](Setting& s) {
             counted_loop(s, [&s](P p, NodeId node) { return record(s.ours, p, node, 1); });
         },
         240, 180},
        {"record_progress by name, advancing",
         [](Setting& s) {
             counted_loop(s, [&s](P p, NodeId node) { return record(s.ours, p, node, 2); });
         },
         240, 180, true},
        {"sharded: has_min_isr",
         [](Setting& s) {
             counted_loop(s, [&s](P p, NodeId) {
                 return s.sharded.has_min_isr(p.topic, p.partition) ? 1u : 0u;
             });
         }},
        {"sharded: get_isr",
         [](Setting& s) {
             counted_loop(s, [&s](P p, NodeId) { return isr_digest(s.sharded, p); });
         }},
        {"sharded: heartbeat",
         [](Setting& s) {
             counted_loop(s, [&s](P p, NodeId node) {
                 return s.sharded.heartbeat(p.topic, p.partition, node, 1) ? 1u : 0u;
             });
         }},
        {"tuned: has_min_isr",
         [](Setting& s) {
             counted_loop(s, [&s](P p, NodeId) {
                 return s.tuned.has_min_isr(p.topic, p.partition) ? 1u : 0u;
             });
         }},
        {"tuned: get_isr",
         [](Setting& s) { counted_loop(s, [&s](P p, NodeId) { return isr_digest(s.tuned, p); }); }},
    };
    return all;
}

/// As callgrind's child.
int run_one(std::string_view name) {
    for (const Operation& operation : operations()) {
        if (operation.name != name) continue;
        Setting setting{operation.appended};
        operation.run(setting);
        return EXIT_SUCCESS;
    }
    return EXIT_FAILURE;
}

std::optional<std::uint64_t> count(const Operation& operation, const InstructionCounter& counter) {
    if (!counter.works()) return count_by_callgrind(operation.name, "*counted_loop*");
    Setting setting{operation.appended};
    const std::uint64_t before = counter.read();
    operation.run(setting);
    return counter.read() - before;
}

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "Retired instructions.");
    if (!options.count.empty()) return run_one(options.count);
    Report report{instruction_set()};
    const InstructionCounter counter;
    report.heading(counter.works() ? "instructions an operation, by the processor's counters"
                                   : "instructions an operation, by callgrind");
    double loop = 0;
    for (const Operation& operation : operations()) {
        const bool is_loop = &operation == &operations().front();
        if (!is_loop && !options.wants(operation.name)) continue;
        const auto total = count(operation, counter);
        if (!total) {
            report.heading("skipped: no counters, and no valgrind to count with");
            break;
        }
        const double each = static_cast<double>(*total) / kOperations;
        if (is_loop) loop = each;
        report.limit(is_loop ? "(the loop around them, not included)" : operation.name,
                     is_loop ? each : each - loop, "", operation.most, operation.aim);
    }
    return report.finish();
}
