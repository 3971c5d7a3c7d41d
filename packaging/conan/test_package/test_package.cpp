#include <insync/adapters/single_node.hpp>
#include <insync/insync.hpp>

#include <fmt/format.h>

int main() {
    insync::SingleNodeView<> consensus{1};
    insync::IsrManager isr{1, consensus, insync::IsrConfig{}};
    if (isr.initialize_isr("my-topic", 0, {1}) != insync::Result::ok) return 1;
    fmt::print("insync {}.{}.{}, ISR {}\n", INSYNC_VERSION_MAJOR, INSYNC_VERSION_MINOR,
               INSYNC_VERSION_PATCH, *isr.get_isr("my-topic", 0));
}
