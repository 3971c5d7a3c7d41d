#include "host.hpp"

#include <insync/types.hpp>

int most_replicas() {
    return static_cast<int>(insync::kMaxReplicas);
}
