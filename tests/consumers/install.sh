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
# As a whole path: a tree in /insync is not what "include/insync/" names.
if grep -rlP "(?<![\w.}-])(\Q$directory\E|\Q$insync\E)(?![\w.-])" "$moved"; then
    die "the installed files above name the directories of the build: they cannot be moved"
fi
