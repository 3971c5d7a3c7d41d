"""Builds a check against a copy of the sources, and runs it."""

import html
import os
import re
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass

import mutant_files

CPU_SECONDS = 60
WORLDS = "40"  # of a randomised check: without a mutant all of them are run
WALL_SECONDS = 600  # for a mutant that waits for ever

COMPILER = ["g++", "-std=c++20", "-O0", "-D_GLIBCXX_ASSERTIONS"]

# A world costs ten times as much without -O1, which the precompiled header does not fit.
SIMULATION = ["-O1", "-DINSYNC_SIMULATION_FAILS_ALLOCATIONS"]

# What a test costs to compile beside the library; nothing of the library, which is mutated.
PRECOMPILED = """
#include <catch2/catch_all.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/container/static_vector.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>
"""

BROKER = "examples/mini_broker"


@dataclass
class Outcome:
    """How a check ended. `killed`: a test of it failed; `text` is that test's name, or the end."""

    built: bool = True
    passed: bool = False
    killed: bool = False
    text: str = ""
    seconds: float = 0.0
    log: str = ""


class Workshop:
    """Copies, builds and runs, in a folder of its own."""

    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        self.libraries = []
        self.broker = None  # the mini-broker without mutants, as a library

    def prepare(self):
        """Whatever all builds share. CalledProcessError if that does not build."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.libraries = linked("catch2-with-main", "fmt")
        header = self.folder / "precompiled.hpp"
        header.write_text(PRECOMPILED)
        support = self.root / "tests" / "support" / "allocations.cpp"
        for options in (
            ["-x", "c++-header", header, "-o", f"{header}.gch"],
            ["-I", self.root / "tests", "-c", support, "-o", self.folder / "support.o"],
        ):
            subprocess.run([*COMPILER, *options], check=True)

    def prepare_broker(self, jobs):
        """Builds the mini-broker, of which a check takes what is not mutated.

        Returns why it cannot be had here, or nothing. CalledProcessError if it does not build.
        """
        configured = subprocess.run(
            ["cmake", "--preset", "dev"],
            cwd=self.root, check=True, capture_output=True, text=True,
        )
        lacking = re.search(r"no mini_broker: (.*)", configured.stdout)
        if lacking:
            return lacking[1]
        subprocess.run(
            ["cmake", "--build", "build/dev", "--target", "mini_broker_parts", "-j", str(jobs)],
            cwd=self.root, check=True, capture_output=True,
        )
        self.broker = self.root / "build" / "dev" / BROKER / "libmini_broker_parts.a"
        return None

    def unmutated(self, check, mutants):
        """The check on the sources as they are, built as for these mutants."""
        sources = set().union(*(mutant.sources for mutant in mutants))
        return self.build_and_run(check, self.copy(check.replace("/", "-")), sources)

    def mutated(self, mutant):
        """Its check on the sources with the mutant in them. Malformed."""
        folder = self.copy(mutant.name)
        mutant_files.apply(mutant, folder)
        return self.build_and_run(mutant.killed_by, folder, mutant.sources)

    def copy(self, name):
        folder = self.folder / name
        for part in ("include", BROKER):
            shutil.copytree(self.root / part, folder / part)
        return folder

    def build_and_run(self, check, folder, sources):
        built = self.build(check, folder, sources)
        if built.returncode != 0:
            return Outcome(built=False, text="does not build", log=built.stdout)
        return self.run(folder)

    def build(self, check, folder, sources):
        """Sources come before the library that has them without a mutant, so it is not asked."""
        options = ["-include", self.folder / "precompiled.hpp"]
        if check.startswith("simulation/"):
            options = [*SIMULATION, self.root / "tests" / "simulation" / "run_tape.cpp"]
        command = [
            *COMPILER, *options,
            "-I", folder / "include", "-I", folder / BROKER, "-I", self.root / "tests",
            self.root / "tests" / check, *(folder / source for source in sorted(sources)),
            self.folder / "support.o",
            "-o", folder / "check",
        ]
        if check.startswith("mini_broker/"):
            command += [self.broker, *linked("raft", "libuv", "prometheus-cpp-core")]
        return subprocess.run(
            [*command, "-pthread", *self.libraries],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )

    def run(self, folder):
        """Runs the check until its first failed test."""
        log = folder / "log.xml"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["timeout", "--foreground", "--signal=KILL", str(WALL_SECONDS),
                 "prlimit", f"--cpu={CPU_SECONDS}", "--core=0",
                 "./check", "--abort", "--reporter", "xml"],
                cwd=folder, env={"INSYNC_WORLDS": WORLDS, **os.environ},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        (folder / "check").unlink()
        text = log.read_text(encoding="utf-8", errors="replace")
        outcome = Outcome(seconds=usage.ru_utime + usage.ru_stime, log=text)
        # It ends with the first failure, so the last test to begin is the one that failed.
        begun = re.findall(r'<TestCase name="([^"]*)"', text)
        if not begun:
            outcome.text = "ran no test"
        elif process.returncode == 0:
            outcome.passed = True
            outcome.text = "passed"
        elif process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            outcome.text = f"not over after {outcome.seconds:.0f} CPU-seconds"
        else:
            outcome.killed = True
            outcome.text = html.unescape(begun[-1])
        return outcome


def linked(*packages):
    """What the linker needs for these packages. CalledProcessError if one is missing."""
    found = subprocess.run(
        ["pkg-config", "--libs", *packages], check=True, capture_output=True, text=True
    )
    return shlex.split(found.stdout)
