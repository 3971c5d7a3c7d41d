// Runs worlds by seed, or one by its tape, and says what they came to.
//
//   insync_simulation [--seed S] [--seeds N] [--seconds CPU] [--jobs N] [--hash] [--tape=HEX]
//
// With --hash no allocation fails, so that the hash is the same in every build.
//
// Ends with 0 if all was well, with 1 and the violated rule's id on the last line if not, and with
// 2 and `void` if the run was long and yet some mark was never reached.
#include "simulation/run_tape.hpp"
#include "simulation/shrink.hpp"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace simulation;

struct Options {
    std::uint64_t seed = 1;
    std::uint64_t seeds = 0;   ///< 0: as many as there is time for
    std::uint64_t seconds = 0; ///< of CPU; 0: as long as there are seeds
    std::uint64_t jobs = 1;
    bool hash = false;
    std::optional<Tape> tape;
};

double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

bool read_number(std::string_view text, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Tape> read_tape(std::string_view text) {
    Tape tape;
    if (text.size() % 2 != 0) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        std::uint8_t byte = 0;
        const char* const end = text.data() + i + 2;
        if (std::from_chars(text.data() + i, end, byte, 16).ptr != end) return std::nullopt;
        tape.push_back(byte);
    }
    return tape;
}

std::optional<Options> read_options(const std::vector<std::string_view>& words) {
    Options options;
    for (std::size_t i = 0; i < words.size(); ++i) {
        constexpr std::string_view kTape = "--tape=";
        if (words[i].starts_with(kTape)) {
            options.tape = read_tape(words[i].substr(kTape.size()));
            if (!options.tape) return std::nullopt;
            continue;
        }
        if (words[i] == "--hash") {
            options.hash = true;
            continue;
        }
        std::uint64_t* const number = words[i] == "--seed"      ? &options.seed
                                      : words[i] == "--seeds"   ? &options.seeds
                                      : words[i] == "--seconds" ? &options.seconds
                                      : words[i] == "--jobs"    ? &options.jobs
                                                                : nullptr;
        if (number == nullptr || ++i == words.size() || !read_number(words[i], *number))
            return std::nullopt;
    }
    if (options.seeds == 0 && options.seconds == 0) options.seeds = 1000;
    return options;
}

/// Tells how a tape fails, as short as it can be made.
int tell(const Tape& failing, std::string_view rule, std::string_view origin) {
    Totals ignored;
    const Tape tape = shrink(
        failing, [&](const Tape& candidate) { return run_tape(candidate, ignored).rule == rule; });
    const Verdict verdict = run_tape(tape, ignored, {.traces = true});
    std::string hex;
    for (const std::uint8_t byte : tape) hex += fmt::format("{:02x}", byte);
    for (const std::string& line : verdict.trace) fmt::print("  {}\n", line);
    fmt::print("violated, by {}: {}\n", origin, verdict.what);
    fmt::print("a tape of {} bytes, shrunk from {}: --tape={}\n", tape.size(), failing.size(), hex);
    fmt::print("{}\n", verdict.rule);
    return 1;
}

/// What many worlds came to.
struct Run {
    Totals totals;
    std::uint64_t hash = 0;
    std::uint64_t failing_seed = 0;
    std::string rule;
};

Run run_worlds(const Options& options) {
    Run run;
    std::mutex mutex;
    std::atomic<std::uint64_t> next{0};
    std::atomic<bool> over{false};
    const auto work = [&] {
        Totals totals;
        std::uint64_t hash = 0;
        while (!over) {
            const std::uint64_t number = next++;
            const bool is_late =
                options.seconds != 0 && cpu_seconds() >= static_cast<double>(options.seconds);
            if (is_late || (options.seeds != 0 && number >= options.seeds)) break;
            const std::uint64_t seed = options.seed + number;
            const Verdict verdict =
                run_tape(tape_of_seed(seed), totals, {.fails_allocations = !options.hash});
            hash += verdict.hash ^ seed * 0x9e37'79b9'7f4a'7c15; // in any order
            if (verdict.ok()) continue;
            over = true;
            const std::lock_guard lock{mutex};
            run.failing_seed = seed;
            run.rule = verdict.rule;
        }
        const std::lock_guard lock{mutex};
        run.totals += totals;
        run.hash += hash;
    };
    std::vector<std::thread> workers;
    for (std::uint64_t i = 1; i < options.jobs; ++i) workers.emplace_back(work);
    work();
    for (std::thread& worker : workers) worker.join();
    return run;
}

void print_marks(const Totals& totals) {
    for (std::size_t i = 0; i < totals.marks.size(); ++i)
        fmt::print("{:12}  {}\n", totals.marks[i], kMarkNames[i]);
    fmt::print("{:12}  verdicts that the rules leave open\n", totals.choices);
    fmt::print("{:12}  failed allocations\n", totals.failed_allocations);
}

std::string summary(const Totals& totals, double seconds) {
    const double hours = static_cast<double>(totals.partition_ms) / 3.6e6;
    return fmt::format(
        "{} worlds, {:.2f} partition-years, {} elections, {} shrinks, {} expands, "
        "{} lossy restarts, {} acknowledged; {:.0f} partition-hours a CPU-second",
        totals.worlds, hours / (24 * 365), totals.elections, totals.shrinks, totals.expands,
        totals.lossy_restarts, totals.acknowledged, hours / seconds);
}

int run(const Options& options) {
    if (options.tape) {
        Totals totals;
        const Verdict verdict = run_tape(*options.tape, totals, {.traces = true});
        if (!verdict.ok()) return tell(*options.tape, verdict.rule, "this tape");
        for (const std::string& line : verdict.trace) fmt::print("  {}\n", line);
        fmt::print("0 violations\n");
        return 0;
    }
    const Run run = run_worlds(options);
    const std::string worlds = summary(run.totals, cpu_seconds());
    print_marks(run.totals);
    if (options.hash) fmt::print("hash of all decisions: {:016x}\n", run.hash);
    if (!run.rule.empty()) {
        fmt::print("1 violation in {}\n", worlds);
        return tell(tape_of_seed(run.failing_seed), run.rule,
                    fmt::format("seed {}", run.failing_seed));
    }
    constexpr std::uint64_t kLong = 2000;
    for (std::size_t i = 0; i < run.totals.marks.size(); ++i) {
        if (run.totals.worlds < kLong || run.totals.marks[i] > 0) continue;
        fmt::print("{}\nit never came about that {}\nvoid\n", worlds, kMarkNames[i]);
        return 2;
    }
    fmt::print("0 violations in {}\n", worlds);
    return 0;
}

} // namespace

int main(int count, char** words) {
    const auto options = read_options({words + 1, words + count});
    if (!options) {
        fmt::print(stderr,
                   "usage: insync_simulation [--seed S] [--seeds N] [--seconds CPU] "
                   "[--jobs N] [--hash] [--tape=HEX]\n");
        return 64;
    }
    return run(*options);
}
