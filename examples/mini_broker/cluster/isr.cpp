#include "cluster/isr.hpp"

template class insync::IsrManager<mini_broker::RaftView, mini_broker::BrokerClock>;
