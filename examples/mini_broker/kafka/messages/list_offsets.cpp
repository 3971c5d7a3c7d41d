#include "kafka/fields/list_offsets.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(ListOffsetsRequest);
MINI_BROKER_KAFKA_CODEC(ListOffsetsResponse);
MINI_BROKER_KAFKA_CODEC(OffsetForLeaderEpochRequest);
MINI_BROKER_KAFKA_CODEC(OffsetForLeaderEpochResponse);

} // namespace mini_broker::kafka
