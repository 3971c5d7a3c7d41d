#include <insync/insync.hpp>

#include <fmt/format.h>

int main() {
    fmt::print("insync {}.{}.{}\n", INSYNC_VERSION_MAJOR, INSYNC_VERSION_MINOR,
               INSYNC_VERSION_PATCH);
}
