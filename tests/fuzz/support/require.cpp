#include "fuzz/support/require.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace fuzz {

void require(bool holds, std::string_view what, std::source_location where) {
    if (holds) return;
    fmt::print(stderr, "{}:{}: not so: {}\n", where.file_name(), where.line(), what);
    std::abort();
}

} // namespace fuzz
