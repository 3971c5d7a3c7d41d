#include "replicas.hpp"

bool is_writable(const Manager& isr) {
    return isr.has_min_isr("my-topic", 0);
}
