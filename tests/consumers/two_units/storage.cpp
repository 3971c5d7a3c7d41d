#include "replicas.hpp"

int isr_size(const Manager& isr) {
    const auto set = isr.get_isr("my-topic", 0);
    return set ? static_cast<int>(set->to_vec().size()) : -1;
}
