#include "support/precompiled.hpp"

// Whole classes: also members that no test calls must compile for every kind of view.
template class insync::IsrManager<insync::testing::ScriptedView, insync::testing::ManualClock>;
template class insync::IsrManager<insync::testing::VersionedScriptedView,
                                  insync::testing::ManualClock>;
template class insync::IsrManager<insync::testing::PushingScriptedView,
                                  insync::testing::ManualClock>;
