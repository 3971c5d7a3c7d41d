#include "kafka/fields/produce.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(ProduceRequest);
MINI_BROKER_KAFKA_CODEC(ProduceResponse);

} // namespace mini_broker::kafka
