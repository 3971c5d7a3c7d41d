// Whole managers, at the level of optimisation that some warnings depend on: compiled with the
// headers as a host's own, and as a system's.
#include <all_headers.hpp>

using insync::testing::ManualClock;
using insync::testing::ScriptedView;
using Manager = insync::IsrManager<ScriptedView, ManualClock>;

template class insync::IsrManager<ScriptedView, ManualClock>;
template class insync::IsrManager<insync::testing::VersionedScriptedView, ManualClock>;
template class insync::IsrManager<insync::testing::PushingScriptedView, ManualClock>;
template class insync::IsrUpdateLoop<Manager>;
#ifdef INSYNC_TEST_PROMETHEUS
template class insync::metrics::PrometheusCollector<Manager>;
#endif
