#include "kafka/fields/metadata.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(MetadataRequest);
MINI_BROKER_KAFKA_CODEC(MetadataResponse);

} // namespace mini_broker::kafka
