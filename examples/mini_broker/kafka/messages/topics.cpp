#include "kafka/fields/topics.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(CreateTopicsRequest);
MINI_BROKER_KAFKA_CODEC(CreateTopicsResponse);
MINI_BROKER_KAFKA_CODEC(DeleteTopicsRequest);
MINI_BROKER_KAFKA_CODEC(DeleteTopicsResponse);
MINI_BROKER_KAFKA_CODEC(CreatePartitionsRequest);
MINI_BROKER_KAFKA_CODEC(CreatePartitionsResponse);

} // namespace mini_broker::kafka
