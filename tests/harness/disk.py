"""A disk that loses what was not synced when its power is cut: ext4 on a loop device over tests/powercut/volatile_disk.c."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import struct
import subprocess
import time

from .env import ROOT, clean_env, run

PROGRAM = ROOT / "build/tests/powercut/volatile_disk"
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
MODES = ("none", "prefix", "writes", "sectors")

FIEMAP = 0xC020660B

_libc = ctypes.CDLL(None, use_errno=True)


def _libc_call(what, *args):
    if getattr(_libc, what)(*args):
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def unusable():
    """Why there can be no such disk on this machine; None: there can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    for device in ("/dev/fuse", "/dev/loop-control"):
        try:
            os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
        except OSError as e:
            return f"{device}: {e.strerror}"
    try:
        with private_mounts():
            pass
    except OSError as e:
        return f"no mounts of one's own: {e}"
    return None


@contextlib.contextmanager
def private_mounts():
    """What this thread and what it starts mount is theirs alone, and gone with them however they end."""
    before = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _libc_call("unshare", CLONE_NEWNS)
        _libc_call("mount", b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None)
        yield
    finally:
        _libc_call("setns", before, CLONE_NEWNS)
        os.close(before)


def forget(path):
    """The kernel forgets what it has of the file, so that it is read from its disk again; but for pages that are in use, as those of a sendfile."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


class Disk:
    """mount: where its file system is while the power is on. flush_us: how long a flush of the disk's cache takes.

    Within private_mounts() only. A loop device is let go when its file system is unmounted (autoclear), so none is left behind either.
    """

    def __init__(self, folder, size=2 << 30, flush_us=1000):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.image, self.file, self.mount = self.folder / "image", self.folder / "disk", self.folder / "mnt"
        self.mount.mkdir()
        self.file.touch()
        self.flush_us = flush_us
        self.program = None
        self.is_mounted = False
        with open(self.image, "wb") as f:
            f.truncate(size)
        self.run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-N", "65536", self.image)

    def run(self, *args, check=True):
        return run(args, clean_env(self.folder), check=check, timeout=60).stdout.strip()

    def power_on(self):
        """From what the last cut left; ext4 replays its journal."""
        self.program = subprocess.Popen(
            [PROGRAM, self.image, self.file, str(self.flush_us)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )
        assert self.program.stdout.readline() == "ready\n", "volatile_disk did not start"
        loop = self.run("losetup", "--find", "--show", "--direct-io=on", self.file)
        try:
            self.run("mount", "-t", "ext4", loop, self.mount)
            self.is_mounted = True
        finally:
            self.run("losetup", "--detach", loop)

    def ask(self, line):
        self.program.stdin.write(line + "\n")
        return self.program.stdout.readline()

    def cut(self, mode, seed):
        """The power fails: (writes that were not synced, their bytes, how many of these were kept)."""
        writes, size, kept = map(int, self.ask(f"cut {mode} {seed}").split())
        return writes, size, kept

    def extents(self, path):
        """[(at, size)]: where the bytes of a file of its file system are on it."""
        got = bytearray(struct.pack("QQIIII", 0, (1 << 64) - 1, 1, 0, 200, 0) + bytes(200 * 56))  # FIEMAP_FLAG_SYNC
        with open(path, "rb") as f:
            fcntl.ioctl(f.fileno(), FIEMAP, got)
        count = struct.unpack_from("I", got, 20)[0]
        assert 0 < count < 200, f"{path} has {count} extents"
        return [struct.unpack_from("QQ", got, 32 + 56 * i + 8) for i in range(count)]

    @contextlib.contextmanager
    def bad(self, access, *paths, last=None):
        """Files of its file system cannot be read, or written, where they are now on the disk; last: of each only so many bytes at its end."""
        for path in paths:
            forget(path)
            extents = self.extents(path)
            if last:
                at, size = extents[-1]
                extents = [(at + size - last, last)]
            for at, size in extents:
                assert self.ask(f"bad {access} {at} {size}") == "0\n"
        refused = []
        try:
            yield refused
        finally:
            refused.append(int(self.ask("good")))

    def power_off(self):
        """After a cut, when nobody uses the file system any more."""
        if self.is_mounted:
            end = time.monotonic() + 5
            while self.run("umount", self.mount, check=False) and time.monotonic() < end:
                time.sleep(0.02)
            if os.path.ismount(self.mount):
                self.run("umount", "--lazy", self.mount)
            self.is_mounted = False
        if self.program is not None:
            self.program.stdin.close()
            try:
                assert self.program.wait(20) == 0, "volatile_disk failed"
            finally:
                self.program.kill()
                self.program.wait()
                self.program.stdout.close()
                self.program = None

    def close(self):
        """Whatever happened before."""
        with contextlib.suppress(OSError, ValueError):
            if self.program is not None:
                self.ask("cut none 0")  # so that unmounting has nothing to wait for
        self.power_off()
