#pragma once

#include "cluster/isr.hpp"
#include "http/server.hpp"

namespace mini_broker {

/// Every partition that this node tracks: its in-sync replicas, and of each replica why it is in or
/// out. On any thread.
[[nodiscard]] HttpAnswer isr_page(const Isr& isr);

} // namespace mini_broker
