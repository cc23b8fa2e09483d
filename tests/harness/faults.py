"""A server whose machine fails it: libraries that stand between it and the system (tests/preload)."""

import contextlib
import errno
import mmap
import struct

from .env import ROOT

PRELOAD = ROOT / "build/tests/preload"


class MovedClock:
    """A wall clock that can be set while a server runs. env: for that server."""

    def __init__(self, folder):
        path = folder / "moved-clock"
        path.write_bytes(bytes(8))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 8)
        self.seconds = 0
        self.env = {"LD_PRELOAD": str(PRELOAD / "moved_clock.so"), "MOVED_CLOCK": str(path)}

    def move(self, seconds):
        self.seconds += seconds
        self.map[:8] = struct.pack("q", self.seconds)


class FailingDisk:
    """A disk on which calls fail while it is told so. env: for the server on it."""

    CALLS = {"read": 1, "write": 2, "sync": 4, "open": 8, "remove": 16}
    FILES = {"db": 1, "log": 2, "object": 4, "folder": 8}

    def __init__(self, folder):
        path = folder / "failing-disk"
        path.write_bytes(bytes(24))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 24)
        self.env = {"LD_PRELOAD": str(PRELOAD / "failing_disk.so"), "FAILING_DISK": str(path)}

    @contextlib.contextmanager
    def failing(self, calls, files, error=errno.EIO, every=1):
        """calls, files: names of the above, with spaces between. every: 1: each such call fails, 5: each fifth. Gives a function that says how
        many have failed."""
        self.map[4:24] = struct.pack("5I", sum(self.FILES[f] for f in files.split()), error, every, 0, 0)
        self.map[:4] = struct.pack("I", sum(self.CALLS[c] for c in calls.split()))
        try:
            yield lambda: struct.unpack("I", self.map[20:24])[0]
        finally:
            self.map[:4] = bytes(4)
