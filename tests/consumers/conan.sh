#!/usr/bin/env bash
# Conan, with its cache in the directory of the test and without any remote. What insync depends on
# are the system's packages, by small recipes that stand in for the real ones.
# shellcheck source=tests/consumers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PATH=$insync/build/packaging-tools/bin:$PATH
command -v conan >/dev/null || lacks "no conan: run scripts/packaging-tools"
export CONAN_HOME=$directory/home

# version_of PACKAGE: a Debian package's upstream version.
version_of() { dpkg-query -W -f '${Version}' "$1" | sed -E 's/^[0-9]+://; s/[-+].*//'; }

case $compiler in
GNU) name=gcc ;;
Clang) name=clang ;;
*) lacks "a compiler that Conan has no name for here: $compiler" ;;
esac
mkdir -p "$CONAN_HOME/profiles"
cat >"$CONAN_HOME/profiles/default" <<PROFILE
[settings]
os=Linux
arch=$(uname -m)
build_type=Release
compiler=$name
compiler.version=${compiler_version%%.*}
compiler.libcxx=libstdc++11
compiler.cppstd=gnu17
[conf]
tools.build:compiler_executables={"cpp": "$CXX"}
tools.cmake.cmaketoolchain:generator=Ninja
tools.cmake.cmaketoolchain:user_presets=
tools.cmake.cmake_layout:test_folder=$directory/test_package
PROFILE
conan remote disable '*'

system=$insync/tests/consumers/conan/system
conan create "$system/fmt" --version "$(version_of libfmt-dev)"
conan create "$system/boost" --version "$(version_of libboost-dev)"
conan create "$system/prometheus-cpp" --version "$(version_of prometheus-cpp-dev)"

conan create "$insync/packaging/conan" --settings compiler.cppstd=20 --build=missing

# A project of its own, with the adapter.
cp "$insync/tests/consumers/conan/conanfile.txt" .
cp -r "$insync/tests/consumers/prometheus" project
conan install . --settings compiler.cppstd=20 --build=missing --output-folder generated
cmake -S project -B build -DCMAKE_TOOLCHAIN_FILE="$directory/generated/conan_toolchain.cmake" \
    -DCMAKE_BUILD_TYPE=Release
cmake --build build
build/broker

# One package for all settings and options.
conan create "$insync/packaging/conan" --settings compiler.cppstd=20 \
    --settings build_type=Debug --options '&:with_prometheus=True' --test-folder=
packages=$(conan list 'insync/*:*' --format=json | grep -c '"info"')
[[ $packages -eq 1 ]] || die "$packages packages for one set of headers"

# What the headers cannot be compiled with is refused in a sentence: by itself Conan takes C++17.
refused() {
    local answer
    if answer=$(conan create "$insync/packaging/conan" --test-folder= "$@" 2>&1); then
        die "not refused: ${*:-C++17}"
    fi
    tail -n 1 <<<"$answer"
}
refused
refused --settings compiler.cppstd=20 --settings compiler=gcc --settings compiler.version=10

for left in build CMakeUserPresets.json; do
    [[ ! -e $insync/packaging/conan/test_package/$left ]] || die "left in test_package: $left"
done
