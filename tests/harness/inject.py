"""System calls made in the name of another process's thread, by ptrace: what it may do is asked of the kernel, not of the process.

x86-64 only. The thread is stopped where it waits, makes the call, gets its registers back and waits on.
"""

import contextlib
import ctypes
import os
import re

SEIZE, INTERRUPT, DETACH, GETREGS, SETREGS, SINGLESTEP = 0x4206, 0x4207, 17, 12, 13, 9
WALL = 0x40000000
NAMES = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs".split()


class Regs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in NAMES]


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request, thread, data=None):
    if _libc.ptrace(request, thread, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}: {os.strerror(ctypes.get_errno())}")


def threads(pid):
    return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))


class Thread:
    def __init__(self, pid, thread):
        self.pid, self.thread = pid, thread

    def _wait(self):
        _, status = os.waitpid(self.thread, WALL)
        assert os.WIFSTOPPED(status), f"thread {self.thread} ended: {status:#x}"

    def _syscall_instruction(self):
        """Where the C library has one."""
        with open(f"/proc/{self.pid}/maps") as maps, open(f"/proc/{self.pid}/mem", "rb", 0) as mem:
            for line in maps:
                found = re.match(r"(\w+)-(\w+) r-xp .*/libc\.so", line)
                if found:
                    start, end = (int(x, 16) for x in found.groups())
                    mem.seek(start)
                    at = mem.read(end - start).find(b"\x0f\x05")
                    if at >= 0:
                        return start + at
        raise AssertionError("no libc in the process")

    def call(self, number, *args):
        """The result as the kernel gives it: negative, an errno. bytes stand for a pointer to them."""
        saved = Regs()
        _ptrace(GETREGS, self.thread, ctypes.byref(saved))
        regs = Regs.from_buffer_copy(saved)
        values, free = [], saved.rsp - 4096  # below the red zone; stacks are larger
        with open(f"/proc/{self.pid}/mem", "rb+", 0) as mem:
            for arg in args:
                if isinstance(arg, bytes):
                    free -= (len(arg) + 1 + 15) // 16 * 16
                    mem.seek(free)
                    mem.write(arg + b"\0")
                    arg = free
                values.append(arg & (2**64 - 1))
        for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), values + [0] * (6 - len(values))):
            setattr(regs, name, value)
        regs.rax, regs.orig_rax, regs.rip = number, 2**64 - 1, self._syscall_instruction()
        _ptrace(SETREGS, self.thread, ctypes.byref(regs))
        try:
            _ptrace(SINGLESTEP, self.thread)
            self._wait()
            _ptrace(GETREGS, self.thread, ctypes.byref(regs))
        finally:
            _ptrace(SETREGS, self.thread, ctypes.byref(saved))
        return ctypes.c_longlong(regs.rax).value


@contextlib.contextmanager
def stopped(pid, thread):
    t = Thread(pid, thread)
    _ptrace(SEIZE, thread)
    try:
        _ptrace(INTERRUPT, thread)
        t._wait()
        yield t
    finally:
        with contextlib.suppress(OSError):
            _ptrace(DETACH, thread)
