#include "kafka/fields/producer_id.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(InitProducerIdRequest);
MINI_BROKER_KAFKA_CODEC(InitProducerIdResponse);

} // namespace mini_broker::kafka
