#include "replicas.hpp"

int main() {
    const insync::testing::ManualClock clock;
    insync::testing::ScriptedView consensus;
    consensus.lead("my-topic", 0, /*self*/ 1, /*epoch*/ 4, /*end*/ 0);
    Manager isr{/*self*/ 1, consensus, insync::IsrConfig{.min_insync_replicas = 1}, clock};
    if (isr.initialize_isr("my-topic", 0, {1}) != insync::Result::ok) return 1;
    return is_writable(isr) && isr_size(isr) == 1 ? 0 : 1;
}
