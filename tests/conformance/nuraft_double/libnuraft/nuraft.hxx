#pragma once

// Stands in the tests for NuRaft's header of this name: the part of its public interface that
// examples/hosts uses, with names and types as NuRaft documents them, written anew.

#include "../interfaces.hpp"
#include "../messages.hpp"
#include "../server.hpp"
