# Shared by the scripts beside it; sourced, never run. What they get in the environment:
#   insync      the source tree
#   directory   where to work: emptied here, and entered
#   prefix      where consumer.install put the package
#   CXX, compiler (GNU or Clang), compiler_version
# shellcheck shell=bash

set -euo pipefail
: "${insync:?}" "${prefix:?}" "${CXX:?}" "${compiler:?}" "${compiler_version:?}"

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# lacks WHAT: ends the test as skipped.
lacks() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 77
}

rm -rf "${directory:?}"
mkdir -p "$directory"
cd "$directory"
