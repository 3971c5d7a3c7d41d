#pragma once

#include "kafka/messages/producer_id.hpp"
#include "kafka/wire.hpp"

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, InitProducerIdRequest>& m) {
    io.all(m.transactional_id, m.transaction_timeout_ms);
    io.since(3, m.producer_id, m.producer_epoch);
}

template <class Io>
void fields(Io& io, Of<Io, InitProducerIdResponse>& m) {
    io.all(m.throttle_time_ms, m.error_code, m.producer_id, m.producer_epoch);
}

} // namespace mini_broker::kafka
