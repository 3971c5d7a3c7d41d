#!/usr/bin/env python3
"""Each rule of lint.py finds what it is for, and no other rule does.

    lint_test.py PORT PACKAGES SOURCE      a port that keeps all of them
"""

import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import lint

PORT, PACKAGES, SOURCE = map(Path, sys.argv[1:4])


def replace(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} does not contain {old!r}"
    path.write_text(text.replace(old, new))


def append(path, text):
    path.write_text(path.read_text() + text)


# Rule -> what breaks it, given the port's directory and that of what it installed.
FAULTS = {
    "usage_is_installed": lambda port, tree: (tree / "share/insync/usage").unlink(),
    "usage_names_what_is_there": lambda port, tree: [
        append(path / "usage", "    target_link_libraries(main PRIVATE insync::nuraft)\n")
        for path in (port, tree / "share/insync")
    ],
    "copyright_is_installed": lambda port, tree: (tree / "share/insync/copyright").write_text("\n"),
    "no_empty_directory": lambda port, tree: (tree / "lib").mkdir(),
    "no_absolute_path": lambda port, tree: append(
        tree / "share/insync/insync-config.cmake", f'set(where "{tree.resolve()}/include")\n'
    ),
    "everything_in_its_place": lambda port, tree: (tree / "include/config.h").write_text("\n"),
    "pkgconfig_has_no_libraries": lambda port, tree: append(
        tree / "share/pkgconfig/insync.pc", "Libs: -lfmt\n"
    ),
    "portfile_is_current": lambda port, tree: replace(
        port / "portfile.cmake", "vcpkg_cmake_install", "vcpkg_install_cmake"
    ),
    "options_exist": lambda port, tree: replace(
        port / "portfile.cmake", "INSYNC_BUILD_TESTS", "INSYNC_TESTS"
    ),
    "nothing_is_left_to_fill": lambda port, tree: append(port / "portfile.cmake", "# @SHA512@\n"),
    "manifests_are_formatted": lambda port, tree: replace(
        port / "vcpkg.json", '"boost-container",\n    "fmt",', '"fmt",\n    "boost-container",'
    ),
    "license_is_named": lambda port, tree: replace(
        port / "vcpkg.json", '  "license": "MIT",\n', ""
    ),
}


def backwards(content):
    return dict(reversed(content.items()))


# Each changes a manifest to one that 'vcpkg format-manifest' was seen to change back.
UNFORMATTED = {
    "keys": backwards,
    "dependencies": lambda manifest: manifest | {"dependencies": manifest["dependencies"][::-1]},
    "a dependency's keys": lambda manifest: manifest
    | {"dependencies": [*manifest["dependencies"], {"host": True, "name": "zlib"}]},
    "a dependency without more than a name": lambda manifest: manifest
    | {"dependencies": [*manifest["dependencies"], {"name": "zlib"}]},
    "features": lambda manifest: manifest
    | {"features": {"zstd": {"description": "Last"}} | manifest["features"]},
    "a feature's keys": lambda manifest: manifest
    | {"features": {name: backwards(it) for name, it in manifest["features"].items()}},
}


class Lint(unittest.TestCase):
    def test_a_good_port_breaks_no_rule(self):
        self.assertEqual(lint.breaches(PORT, PACKAGES, SOURCE), [])

    def test_every_rule_has_a_fault_that_breaks_it(self):
        self.assertEqual([rule.__name__ for rule in lint.RULES], list(FAULTS))

    def test_a_fault_breaks_its_rule_and_no_other(self):
        for rule, break_it in FAULTS.items():
            with self.subTest(rule), tempfile.TemporaryDirectory() as directory:
                port, tree = Path(directory, "port"), Path(directory, "packages")
                shutil.copytree(PORT, port)
                shutil.copytree(PACKAGES, tree)
                break_it(port, tree)
                self.assertEqual({name for name, _ in lint.breaches(port, tree, SOURCE)}, {rule})

    def test_a_manifest_out_of_order_is_not_formatted(self):
        for path in (PORT / "vcpkg.json", SOURCE / "vcpkg.json"):
            for what, change in UNFORMATTED.items():
                with self.subTest(what, path=path):
                    changed = change(json.loads(path.read_text()))
                    self.assertNotEqual(
                        lint.text_of(changed), lint.text_of(lint.formatted(changed))
                    )


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
