"""A file system of its own for each node, whose power can be cut: what was not synced is lost.

`kill -9` alone loses nothing, as the kernel keeps what the process has written. So the file system
is shut down without flushing, the way ext4 is told to for such tests, and mounted anew.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path

from nemesis.network import tool
from processes import eventually

_EXT4_IOC_SHUTDOWN = 0x8004587D
_NOLOGFLUSH = 2
_FILLER = "filler"


class Disk:
    """One ext4 file system in a file, so many MiB large. This process must have a mount namespace
    of its own."""

    def __init__(self, folder, name, size):
        self._image = Path(folder) / f"{name}.img"
        self.path = Path(folder) / name
        self.path.mkdir()
        with self._image.open("wb") as image:
            image.truncate(size << 20)
        tool("mkfs.ext4", "-q", "-F", "-m", "0", self._image)
        self._mount()

    def _mount(self):
        tool("mount", "-o", "loop,noatime", self._image, self.path)

    def write_canaries(self):
        """One file that is synced, and one that is not: only the first may outlive a power cut."""
        for name, synced in (("kept", True), ("lost", False)):
            with (self.path / name).open("wb") as file:
                file.write(b"canary" * 1000)
                file.flush()
                if synced:
                    os.fsync(file.fileno())

    def shut_down(self):
        """From now on each read and write of it fails, and what was not synced is lost."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NOLOGFLUSH))
        finally:
            os.close(handle)

    def remount(self):
        """Mounts anew what `shut_down` left. Nobody may have a file of it open any more."""

        def unmounted():
            try:
                tool("umount", self.path)
            except RuntimeError as error:
                raise AssertionError(str(error)) from None  # busy
            return True

        eventually(unmounted, 10, what=f"unmounting {self.path}")
        self._mount()

    def canaries(self):
        """How many bytes there are of each."""
        sizes = {}
        for name in ("kept", "lost"):
            path = self.path / name
            sizes[name] = path.stat().st_size if path.exists() else 0
            path.unlink(missing_ok=True)
        return sizes

    def fill(self):
        """Takes all the room there is. How many bytes that was."""
        with (self.path / _FILLER).open("wb") as filler:
            size = 0
            for step in (1 << 20, 1 << 12):
                while True:
                    try:
                        os.posix_fallocate(filler.fileno(), size, step)
                    except OSError as error:
                        if error.errno == errno.ENOSPC:
                            break
                        raise
                    size += step
        return size

    def empty(self):
        """Gives the room back."""
        (self.path / _FILLER).unlink(missing_ok=True)
