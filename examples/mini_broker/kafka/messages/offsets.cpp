#include "kafka/fields/offsets.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(OffsetCommitRequest);
MINI_BROKER_KAFKA_CODEC(OffsetCommitResponse);
MINI_BROKER_KAFKA_CODEC(OffsetFetchRequest);
MINI_BROKER_KAFKA_CODEC(OffsetFetchResponse);

} // namespace mini_broker::kafka
