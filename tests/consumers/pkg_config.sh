#!/usr/bin/env bash
# A build without CMake.
# shellcheck source=tests/consumers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v pkg-config >/dev/null || lacks "no pkg-config (Debian: pkg-config)"
cp "$insync/tests/consumers/main.cpp" .

export PKG_CONFIG_PATH=$prefix/share/pkgconfig
# shellcheck disable=SC2046 # flags are words
$CXX -std=c++20 main.cpp $(pkg-config --cflags --libs insync) -o broker

./broker
[[ "insync $(pkg-config --modversion insync)," == "$(./broker | cut -d ' ' -f 1-2)" ]] ||
    die "the version of insync.pc is not that of the headers"
