#pragma once

#include <stdexcept>

namespace mini_broker {

/// libraft refused a step in a way that only a defect explains, or what is on disk contradicts
/// itself. The node must stop.
struct RaftError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace mini_broker
