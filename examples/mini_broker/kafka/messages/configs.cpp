#include "kafka/fields/configs.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(DescribeConfigsRequest);
MINI_BROKER_KAFKA_CODEC(DescribeConfigsResponse);
MINI_BROKER_KAFKA_CODEC(AlterConfigsRequest);
MINI_BROKER_KAFKA_CODEC(AlterConfigsResponse);
MINI_BROKER_KAFKA_CODEC(IncrementalAlterConfigsRequest);
MINI_BROKER_KAFKA_CODEC(IncrementalAlterConfigsResponse);

} // namespace mini_broker::kafka
