#!/usr/bin/env bash
# exports.sh add_subdirectory|fetch_content: a host that exports and installs libraries on insync,
# and who uses what it installed, and what it built.
# shellcheck source=tests/consumers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cp -r "$insync/tests/consumers/exports/host" "$insync/tests/consumers/exports/user" .
case $1 in
add_subdirectory)
    mkdir host/third_party
    ln -s "$insync" host/third_party/insync
    insync_build=build/third_party/insync
    set --
    ;;
fetch_content)
    insync_build=build/_deps/insync-build
    set -- -D FETCHCONTENT_SOURCE_DIR_INSYNC="$insync"
    ;;
*) die "unknown way: $1" ;;
esac

# use DIRECTORY SETTING...
use() {
    cmake -S user -B "$@"
    cmake --build "$1"
    "$1/broker"
}

cmake -S host -B build "$@"
cmake --build build
cmake --install build --prefix installed
use of_installed -D CMAKE_PREFIX_PATH="$directory/installed"
use of_build -D host_DIR="$directory/build" -D insync_DIR="$directory/$insync_build"

# Without insync's part of the installation the export sets are whole, and that part can be had.
cmake -S host -B build -D INSYNC_INSTALL=OFF
cmake --install build --prefix bare
[[ -e bare/lib/cmake/host && ! -e bare/share && ! -e bare/include/insync ]] ||
    die "INSYNC_INSTALL=OFF installs insync, or not the host"
cmake --install build --prefix bare --component insync_development
diff -r installed/include bare/include

# A dependency that the host builds and does not install is looked for by who uses the package.
cmake -S host -B own_fmt "$@" -D OWN_FMT=ON
cmake --install own_fmt --prefix installed --component insync_development
cmake -S user -B of_own_fmt -D CMAKE_PREFIX_PATH="$directory/installed"
