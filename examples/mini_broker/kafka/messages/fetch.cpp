#include "kafka/fields/fetch.hpp"

#include "kafka/fields/codec.hpp"

namespace mini_broker::kafka {

MINI_BROKER_KAFKA_CODEC(FetchRequest);
MINI_BROKER_KAFKA_CODEC(FetchResponse);

} // namespace mini_broker::kafka
