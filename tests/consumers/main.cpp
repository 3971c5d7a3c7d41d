#include <insync/insync.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <fmt/format.h>

int main() {
    const insync::testing::ManualClock clock;
    insync::testing::ScriptedView consensus;
    consensus.lead("my-topic", 0, /*self*/ 1, /*epoch*/ 4, /*end*/ 0);
    insync::IsrManager isr{/*self*/ 1, consensus, insync::IsrConfig{}, clock};
    if (isr.initialize_isr("my-topic", 0, {1}) != insync::Result::ok) return 1;
    fmt::print("insync {}.{}.{}, ISR {}\n", INSYNC_VERSION_MAJOR, INSYNC_VERSION_MINOR,
               INSYNC_VERSION_PATCH, *isr.get_isr("my-topic", 0));
}
