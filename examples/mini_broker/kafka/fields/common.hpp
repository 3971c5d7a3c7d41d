#pragma once

#include "kafka/messages/common.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, LeaderIdAndEpoch>& m) {
    io.all(m.leader_id, m.leader_epoch);
}

template <class Io>
void fields(Io& io, Of<Io, NodeEndpoint>& m) {
    io.all(m.node_id, m.host, m.port, m.rack);
}

} // namespace mini_broker::kafka
