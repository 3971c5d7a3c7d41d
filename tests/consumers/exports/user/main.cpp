#include <insync/types.hpp> // from host::replicas, which links insync publicly

#include <host.hpp>

int main() {
    const int most = static_cast<int>(insync::kMaxReplicas);
    return most_replicas() == most && most_stored() == most ? 0 : 1;
}
