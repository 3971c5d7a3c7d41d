// has_min_isr and get_isr by handle: a partition that was looked up once.

#include "baselines/handles.hpp"
#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/runner.hpp"
#include "support/workload.hpp"
#include "support/world.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace bench;

constexpr const char* kMutex = "mutex handle";
constexpr const char* kSharedMutex = "shared_mutex handle";

/// As many partitions of a naive broker, each on its own, and kept by address.
template <class Partition>
class NaiveHandles {
public:
    explicit NaiveHandles(std::uint32_t partitions) {
        for (std::uint32_t i = 0; i < partitions; ++i)
            partitions_.push_back(std::make_unique<Partition>());
    }
    [[nodiscard]] const Partition& operator[](std::uint32_t i) const { return *partitions_[i]; }

private:
    std::vector<std::unique_ptr<Partition>> partitions_;
};

struct Setting {
    explicit Setting(std::uint32_t partitions)
        : topology(partitions),
          queries(partitions),
          ours(topology),
          with_mutex(partitions),
          with_shared_mutex(partitions) {
        ours.initialize();
        for (std::uint32_t i = 0; i < partitions; ++i) {
            const auto isr = ours.isr().get_isr(ours.handles()[i]);
            require(ours.isr().has_min_isr(ours.handles()[i]) && with_mutex[i].has_min_isr() &&
                        with_shared_mutex[i].has_min_isr() && isr &&
                        digest(*isr) == digest(with_mutex[i].get_isr()) &&
                        digest(*isr) == digest(with_shared_mutex[i].get_isr()),
                    "designs answer differently by handle");
        }
    }

    Topology topology;
    Queries queries;
    PushedWorld ours;
    NaiveHandles<MutexPartition> with_mutex;
    NaiveHandles<SharedMutexPartition> with_shared_mutex;
};

/// Sums what `ask(partition)` answers over the queries.
template <class Ask>
Stream::Run asking(const Setting& setting, const Ask& ask) {
    return [&setting, ask](std::uint64_t position, std::uint64_t count) {
        std::uint64_t sum = 0;
        for (std::uint64_t i = position; i < position + count; ++i)
            sum += ask(setting.queries.at(i));
        return sum;
    };
}

std::vector<Contender> has_min(Setting& setting, unsigned threads, Pace pace) {
    const auto& isr = setting.ours.isr();
    const auto ours = [&isr, &handles = setting.ours.handles()](std::uint32_t i) {
        return isr.has_min_isr(handles[i]) ? 1u : 0u;
    };
    const auto with_mutex = [&all = setting.with_mutex](std::uint32_t i) {
        return all[i].has_min_isr() ? 1u : 0u;
    };
    const auto with_shared = [&all = setting.with_shared_mutex](std::uint32_t i) {
        return all[i].has_min_isr() ? 1u : 0u;
    };
    return {
        {"insync", Stream{asking(setting, ours), threads, pace}},
        {kMutex, Stream{asking(setting, with_mutex), threads, pace}, {6, 9}},
        {kSharedMutex, Stream{asking(setting, with_shared), threads, pace}},
        {"(the loop alone: the query is read)",
         Stream{asking(setting, [](std::uint32_t i) { return i; }), threads, pace}},
    };
}

std::vector<Contender> get_isr(Setting& setting, unsigned threads, Pace pace) {
    const auto& isr = setting.ours.isr();
    const auto ours = [&isr, &handles = setting.ours.handles()](std::uint32_t i) {
        const auto found = isr.get_isr(handles[i]);
        return found ? digest(*found) : 0;
    };
    const auto with_mutex = [&all = setting.with_mutex](std::uint32_t i) {
        return digest(all[i].get_isr());
    };
    const auto with_shared = [&all = setting.with_shared_mutex](std::uint32_t i) {
        return digest(all[i].get_isr());
    };
    return {
        {"insync", Stream{asking(setting, ours), threads, pace}},
        {kMutex, Stream{asking(setting, with_mutex), threads, pace}},
        {kSharedMutex, Stream{asking(setting, with_shared), threads, pace}},
    };
}

} // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv, "Reads by handle.");
    raise_priority();
    Report report{instruction_set()};
    const std::uint32_t partitions = options.quick ? 10'000 : 100'000;
    Setting setting{partitions};
    const Pace pace = Pace::of(options.quick);
    for (const unsigned threads : {1u, 2u}) {
        const auto run = [&](const char* what, std::vector<Contender> designs) {
            const std::string title = fmt::format("{} by handle, {} partitions, {} thread{}", what,
                                                  partitions, threads, threads == 1 ? "" : "s");
            if (!options.wants(title)) return;
            interleave(designs, options.rounds(25));
            report.compare(title, "ns", designs);
        };
        run("has_min_isr", has_min(setting, threads, pace));
        run("get_isr", get_isr(setting, threads, pace));
    }
    return report.finish();
}
