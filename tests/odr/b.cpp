#include <all_headers_reversed.hpp>

int version_major_seen_by_b();

int version_major_seen_by_b() {
    return INSYNC_VERSION_MAJOR;
}
