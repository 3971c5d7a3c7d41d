#include "kafka/fields/groups.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(FindCoordinatorRequest);
MINI_BROKER_KAFKA_CODEC(FindCoordinatorResponse);
MINI_BROKER_KAFKA_CODEC(JoinGroupRequest);
MINI_BROKER_KAFKA_CODEC(JoinGroupResponse);
MINI_BROKER_KAFKA_CODEC(SyncGroupRequest);
MINI_BROKER_KAFKA_CODEC(SyncGroupResponse);
MINI_BROKER_KAFKA_CODEC(HeartbeatRequest);
MINI_BROKER_KAFKA_CODEC(HeartbeatResponse);
MINI_BROKER_KAFKA_CODEC(LeaveGroupRequest);
MINI_BROKER_KAFKA_CODEC(LeaveGroupResponse);

} // namespace mini_broker::kafka
