#include "kafka/fields/describe_groups.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(DescribeGroupsRequest);
MINI_BROKER_KAFKA_CODEC(DescribeGroupsResponse);
MINI_BROKER_KAFKA_CODEC(ListGroupsRequest);
MINI_BROKER_KAFKA_CODEC(ListGroupsResponse);

} // namespace mini_broker::kafka
