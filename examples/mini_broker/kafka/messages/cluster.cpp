#include "kafka/fields/cluster.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(DescribeClusterRequest);
MINI_BROKER_KAFKA_CODEC(DescribeClusterResponse);
MINI_BROKER_KAFKA_CODEC(DescribeTopicPartitionsRequest);
MINI_BROKER_KAFKA_CODEC(DescribeTopicPartitionsResponse);
MINI_BROKER_KAFKA_CODEC(ListPartitionReassignmentsRequest);
MINI_BROKER_KAFKA_CODEC(ListPartitionReassignmentsResponse);

} // namespace mini_broker::kafka
