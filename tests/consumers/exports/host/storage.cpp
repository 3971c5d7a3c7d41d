#include "host.hpp"

#include <insync/types.hpp>

int most_stored() {
    return static_cast<int>(insync::kMaxReplicas);
}
