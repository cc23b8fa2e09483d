"""A server whose machine fails it: libraries that stand between it and the system (tests/preload)."""

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
