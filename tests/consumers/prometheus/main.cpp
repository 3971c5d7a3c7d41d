#include <insync/insync.hpp>
#include <insync/metrics/prometheus.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

using Manager = insync::IsrManager<insync::testing::ScriptedView, insync::testing::ManualClock>;

int main() {
    const insync::testing::ManualClock clock;
    insync::testing::ScriptedView consensus;
    const Manager isr{/*self*/ 1, consensus, insync::IsrConfig{}, clock};
    const insync::metrics::PrometheusCollector<Manager> collector{isr};
    return collector.Collect().empty() ? 1 : 0;
}
