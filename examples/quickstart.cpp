// The library in thirty lines: which replicas are in sync, and may a write be accepted?
// The consensus and the clock are scripted here, so that eleven seconds pass at once; in a broker
// they are a view of your own (custom_view.cpp) and insync::SteadyClock.
#include <insync/insync.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <fmt/format.h>

#include <chrono>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

int main() {
    insync::testing::ManualClock clock;
    insync::testing::ScriptedView consensus;
    consensus.lead("my-topic", 0, /*self*/ 1, /*epoch*/ 4, /*end*/ 5000);
    consensus.follower("my-topic", 0, /*node*/ 2, /*match*/ 5000, /*contact*/ clock.now());
    consensus.follower("my-topic", 0, /*node*/ 3, /*match*/ 5000, /*contact*/ clock.now());

    const insync::IsrConfig config{.max_lag_ms = 10s, .min_insync_replicas = 2};
    insync::IsrManager isr{/*self*/ 1, consensus, config, clock};
    isr.set_log_sink([](std::string_view line) { fmt::print("{}\n", line); });
    if (isr.initialize_isr("my-topic", 0, {1, 2, 3}) != insync::Result::ok) return 1;
    fmt::print("ISR: {}\n", *isr.get_isr("my-topic", 0)); // ISR: [1, 2, 3]

    for (int second = 0; second < 11; ++second) { // node 3 has fallen silent
        clock.advance(1s);
        const insync::Index end = consensus.group("my-topic", 0).state().end + 500;
        consensus.lead("my-topic", 0, 1, 4, end).follower(2, end, clock.now());
        isr.tick(); // your own loop calls this, or insync::IsrUpdateLoop
    }
    const auto set = isr.get_isr("my-topic", 0);
    const bool writable = isr.has_min_isr("my-topic", 0);
    fmt::print("ISR: {}, acks=all writes {}\n", *set, writable ? "accepted" : "refused");
    return set->to_vec() == std::vector<insync::NodeId>{1, 2} && writable ? 0 : 1;
}
