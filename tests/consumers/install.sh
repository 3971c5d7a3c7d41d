#!/usr/bin/env bash
# Installs insync with all its components, and moves what was installed elsewhere.
# shellcheck source=tests/consumers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build=$directory/build
moved=$prefix
prefix=$directory/prefix

cmake -S "$insync" --preset package -B "$build" -DINSYNC_WITH_PROMETHEUS=ON
cmake --install "$build" --prefix "$prefix"

rm -rf "$moved"
mv "$prefix" "$moved"
if grep -rlF -e "$directory" -e "$insync" "$moved"; then
    die "the installed files above name the directories of the build: they cannot be moved"
fi
