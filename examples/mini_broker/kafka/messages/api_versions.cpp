#include "kafka/fields/api_versions.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(ApiVersionsRequest);
MINI_BROKER_KAFKA_CODEC(ApiVersionsResponse);

} // namespace mini_broker::kafka
