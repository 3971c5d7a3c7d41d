#include <all_headers.hpp>

int version_major_seen_by_b();

int main() {
    return version_major_seen_by_b() == INSYNC_VERSION_MAJOR ? 0 : 1;
}
