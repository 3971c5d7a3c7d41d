"""Processes that cannot be left behind, and waiting that cannot be for ever."""

import atexit
import ctypes
import os
import signal
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running = set()


def die_with_parent():
    """Asks the kernel to end this process when the thread that started it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command, **options):
    """A child in a process group of its own, which ends when this process does, however it does."""
    process = subprocess.Popen(
        [str(part) for part in command], start_new_session=True, preexec_fn=die_with_parent,
        **options,
    )
    _running.add(process)
    return process


def kill_group(process):
    """Kills a child and its children, and waits for it. One that has ended is left alone, as its
    number may be another's by now."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    _running.discard(process)


@atexit.register
def _kill_all():
    for process in list(_running):
        kill_group(process)


def run(command, stdin="", timeout=60, env=None):
    """Runs a command to its end and returns it with its output as text.

    One that does not end in time is killed, children and all, and that is an AssertionError.
    """
    process = spawn(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=None if env is None else {**os.environ, **env},
    )
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_group(process)
        out, err = process.communicate()
        raise AssertionError(
            f"{command[0]} did not end in {timeout} s\nstdout: {out}\nstderr: {err}"
        ) from None
    finally:
        kill_group(process)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def eventually(check, timeout=30, interval=0.05, what=None):
    """Calls `check` until it returns something true, and returns that.

    An AssertionError or OSError of `check` counts as "not yet"; the last one is shown if the time
    runs out.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            last = check()
            if last:
                return last
        except (AssertionError, OSError) as error:
            last = error
        if time.monotonic() >= deadline:
            name = what or getattr(check, "__name__", "condition")
            raise AssertionError(f"{name}: not within {timeout} s; at last: {last!r}")
        time.sleep(interval)


def holds_for(check, duration, interval=0.1):
    """Asserts that `check` is true all the time for so many seconds."""
    deadline = time.monotonic() + duration
    while time.monotonic() < deadline:
        result = check()
        assert result, f"no longer true: {result!r}"
        time.sleep(interval)
