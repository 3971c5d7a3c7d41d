# Helpers shared by the scripts in this directory; sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this
jobs=${INSYNC_JOBS:-$(nproc)}

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# at_least VERSION OLDEST
at_least() { [[ $(printf '%s\n' "$1" "$2" | sort --version-sort | head -n 1) == "$2" ]]; }

# our_files EXTENSION...: sources of ours, tracked or new, that git does not ignore.
our_files() {
    local patterns=() extension
    for extension in "$@"; do patterns+=("*.$extension"); done
    (cd "$root" && git ls-files --cached --others --exclude-standard -- "${patterns[@]}" |
        while IFS= read -r file; do [[ -f $file ]] && printf '%s\n' "$file"; done)
}
