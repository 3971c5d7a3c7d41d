#!/usr/bin/env bash
# The single header, with nothing of insync beside it.
# shellcheck source=tests/consumers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$insync/scripts/amalgamate" insync.hpp

# The quickstart, which then includes this instead of its parts.
sed -e '0,/^#include <insync\/.*/s//#include "insync.hpp"/' -e '/^#include <insync\//d' \
    "$insync/examples/quickstart.cpp" >quickstart.cpp
$CXX -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
    quickstart.cpp -lfmt -o quickstart
./quickstart

# Included twice, and in two units of one program.
printf '#include "insync.hpp"\n#include "insync.hpp"\n' >other.cpp
$CXX -std=c++20 other.cpp quickstart.cpp -lfmt -o two_units
./two_units
