#pragma once

// Stands in the tests for NuRaft's header of this name.

#include "nuraft.hxx"
