#pragma once

// What every test file costs to compile, once: Catch2, the library, and the managers that most
// tests use, whose members are instantiated in instantiations.cpp.
#include <insync/insync.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

namespace insync {

extern template class IsrManager<testing::ScriptedView, testing::ManualClock>;
extern template class IsrManager<testing::VersionedScriptedView, testing::ManualClock>;
extern template class IsrManager<testing::PushingScriptedView, testing::ManualClock>;

} // namespace insync
