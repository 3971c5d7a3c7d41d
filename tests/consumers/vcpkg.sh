#!/usr/bin/env bash
# The vcpkg port of the last commit: made as for a release, run with stand-ins for vcpkg's own
# functions, looked over by vcpkg's rules, and used by projects. vcpkg itself does not take part.
# shellcheck source=tests/consumers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v python3 >/dev/null || lacks "no python3"
[[ -e $insync/.git ]] || lacks "no git repository to make the port's archive of"
here=$insync/tests/consumers/vcpkg
port=$directory/ports/insync

# OWNER stands for whoever publishes it.
"$insync/scripts/vcpkg-port" OWNER/insync HEAD "$directory"
for features in "" prometheus; do
    cmake -D port="$port" -D downloads="$directory/downloads" \
        -D packages="$directory/packages" -D features="$features" -P "$here/run_port.cmake"
    cmake -S "$insync/tests/consumers/${features:-find_package}" -B "build-$features" \
        -D CMAKE_PREFIX_PATH="$directory/packages"
    cmake --build "build-$features"
    "build-$features/broker"
done
PYTHONDONTWRITEBYTECODE=1 python3 "$here/lint_test.py" "$port" packages "$insync"
python3 "$here/lint.py" "$port" packages "$insync"

# The manifest for those who develop insync names the same things.
python3 - "$insync/vcpkg.json" "$port/vcpkg.json" <<'PYTHON'
import json
import sys

root, port = (json.load(open(path)) for path in sys.argv[1:3])
users = {name for name in port["dependencies"] if isinstance(name, str)}
assert set(root["dependencies"]) == users, f"dependencies differ: {root['dependencies']}, {users}"
for feature, content in port["features"].items():
    assert root["features"][feature]["dependencies"] == content["dependencies"], feature
PYTHON
