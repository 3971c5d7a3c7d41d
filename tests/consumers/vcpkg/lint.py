#!/usr/bin/env python3
"""What vcpkg asks of a port and of what it installs, as far as that can be seen without vcpkg.

    lint.py PORT PACKAGES SOURCE      the port, what it installed, and insync's source

The rules are those of vcpkg's post-build checks and of its pull requests' checks. Prints each
breach, and exits non-zero if there is one.
"""

import json
import re
import sys
from pathlib import Path

# In the order in which 'vcpkg format-manifest' leaves them.
MANIFEST_KEYS = [
    "$comment", "name", "version", "description", "homepage", "license", "dependencies",
    "default-features", "features",
]
FEATURE_KEYS = ["description", "dependencies"]
DEPENDENCY_KEYS = ["name", "host", "default-features", "features"]
DEPRECATED = (
    r"vcpkg_(configure_cmake|install_cmake|fixup_cmake_targets|apply_patches|build_msbuild"
    r"|extract_source_archive_ex)\b"
)


def formatted_dependency(dependency):
    if isinstance(dependency, str):
        return dependency
    if list(dependency) == ["name"]:
        return dependency["name"]
    return {key: dependency[key] for key in DEPENDENCY_KEYS if key in dependency}


def formatted(manifest, keys=MANIFEST_KEYS):
    """What 'vcpkg format-manifest' leaves of a manifest or of a feature, without keys not named."""
    content = {key: manifest[key] for key in keys if key in manifest}
    if "dependencies" in content:
        content["dependencies"] = sorted(
            map(formatted_dependency, content["dependencies"]),
            key=lambda it: it if isinstance(it, str) else it["name"],
        )
    if "features" in content:
        content["features"] = {
            name: formatted(feature, FEATURE_KEYS)
            for name, feature in sorted(content["features"].items())
        }
    return content


def text_of(manifest):
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


class Port:
    def __init__(self, port, packages, source):
        self.port, self.packages, self.source = port, packages, source
        self.portfile = (port / "portfile.cmake").read_text()
        self.manifest = json.loads((port / "vcpkg.json").read_text())
        self.share = packages / "share" / self.manifest["name"]
        self.installed = [path for path in sorted(packages.rglob("*")) if path.is_file()]

    def name(self, path):
        return path.relative_to(self.packages)

    def texts(self):
        """Every installed file's lines, but for comments, which vcpkg does not look at."""
        for path in self.installed:
            for line in path.read_text().splitlines():
                if not line.lstrip().startswith("#") or line.startswith("#include"):
                    yield path, line


def usage_is_installed(port):
    usage = port.share / "usage"
    if not usage.is_file() or usage.read_text() != (port.port / "usage").read_text():
        yield f"{port.name(usage)} is not the port's usage"


def usage_names_what_is_there(port):
    usage = (port.port / "usage").read_text()
    exported = "".join(path.read_text() for path in port.share.glob("*-targets.cmake"))
    for target in re.findall(r"insync::\w+", usage):
        if f"add_library({target} INTERFACE IMPORTED)" not in exported:
            yield f"usage: there is no target {target}"
    for component in re.findall(r"COMPONENTS (\w+)", usage):
        if component not in port.manifest["features"]:
            yield f"usage: there is no feature {component}"


def copyright_is_installed(port):
    licence = port.share / "copyright"
    if not licence.is_file() or licence.read_text() != (port.source / "LICENSE").read_text():
        yield f"{port.name(licence)} is not the LICENSE"


def no_empty_directory(port):
    for path in sorted(port.packages.rglob("*")):
        if path.is_dir() and not any(path.iterdir()):
            yield f"{port.name(path)} is empty"


def no_absolute_path(port):
    here = [re.escape(str(path.resolve())) for path in (port.port, port.packages, port.source)]
    # As a whole path: a tree in /insync is not what "include/insync/" names.
    absolute = re.compile(rf"(?<![\w.}}-])({'|'.join(here)})(?![\w.-])|[\"= ]/(usr|opt|home)/")
    for path, line in port.texts():
        if absolute.search(line):
            yield f"{port.name(path)}: {line.strip()}"


def everything_in_its_place(port):
    for path in port.installed:
        name = port.name(path)
        if not re.match(
            r"include/insync/.*\.(h|[hi]pp)$|share/insync/[^/]+$|share/pkgconfig/insync\.pc$",
            str(name),
        ):
            yield f"{name}: not where vcpkg wants such a file"
    if not (port.share / "insync-config.cmake").is_file():
        yield f"{port.name(port.share)}: no insync-config.cmake"


def pkgconfig_has_no_libraries(port):
    for path, line in port.texts():
        if path.suffix == ".pc" and line.startswith("Libs"):
            yield f"{port.name(path)}: {line}: such a file may not be in share/"


def portfile_is_current(port):
    for function in re.finditer(DEPRECATED, port.portfile):
        yield f"portfile.cmake: {function[0]} is deprecated"
    if not port.portfile.startswith("set(VCPKG_BUILD_TYPE release) # header-only port\n"):
        yield "portfile.cmake: does not begin with the build type of header-only ports"


def options_exist(port):
    known = re.findall(r"option\((INSYNC_\w+)", (port.source / "CMakeLists.txt").read_text())
    for option in set(re.findall(r"INSYNC_\w+", port.portfile)):
        if option not in known:
            yield f"portfile.cmake: CMakeLists.txt has no option {option}"


def nothing_is_left_to_fill(port):
    for path in sorted(port.port.iterdir()):
        text = path.read_bytes()
        if b"\r" in text:
            yield f"{path.name}: has line endings other than LF"
        for placeholder in re.findall(rb"@[A-Z0-9]+@", text):
            yield f"{path.name}: {placeholder.decode()} is left"


def manifests_are_formatted(port):
    for path in (port.port / "vcpkg.json", port.source / "vcpkg.json"):
        text = path.read_text()
        if text != text_of(formatted(json.loads(text))):
            yield f"{path}: not as 'vcpkg format-manifest' leaves it"


def license_is_named(port):
    if "license" not in port.manifest:
        yield "vcpkg.json: no license"


RULES = [
    usage_is_installed,
    usage_names_what_is_there,
    copyright_is_installed,
    no_empty_directory,
    no_absolute_path,
    everything_in_its_place,
    pkgconfig_has_no_libraries,
    portfile_is_current,
    options_exist,
    nothing_is_left_to_fill,
    manifests_are_formatted,
    license_is_named,
]


def breaches(port, packages, source):
    """A list of (rule's name, what is wrong)."""
    looked_at = Port(Path(port), Path(packages), Path(source))
    return [(rule.__name__, breach) for rule in RULES for breach in rule(looked_at)]


def main():
    found = breaches(*sys.argv[1:4])
    for rule, breach in found:
        print(f"vcpkg lint {rule}: {breach}")
    print(f"vcpkg lint: {len(RULES)} rules, {len({rule for rule, _ in found})} broken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
