#pragma once

#include <insync/insync.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

using Manager = insync::IsrManager<insync::testing::ScriptedView, insync::testing::ManualClock>;

/// Whether the partition may be written to, asked in the program's other unit.
bool is_writable(const Manager& isr);

/// How many members its ISR has, asked in the shared library.
int isr_size(const Manager& isr);
