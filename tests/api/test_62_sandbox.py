"""What a running server has given up: files, system calls, privileges (--sandbox)."""

import ctypes
import errno
import json
import os
import platform
import signal
import socket
import ssl
import subprocess
import time

import pytest

from harness.env import clean_env, run
from harness.inject import stopped, threads
from harness.oci import blob, sha256
from harness.server import BINARY, SANITIZED, free_port

_libc = ctypes.CDLL(None, use_errno=True)


def lacks():
    """Why there can be no sandbox here; None: there can."""
    if SANITIZED:
        return "a build with a sanitizer has no sandbox"
    if _libc.syscall(444, None, ctypes.c_size_t(0), 1) < 1:  # landlock_create_ruleset, for the version
        return f"this kernel has no Landlock: {os.strerror(ctypes.get_errno())}"
    if not os.path.exists("/proc/sys/kernel/seccomp"):
        return "this kernel has no seccomp"
    return None


LACKS = lacks()
needs_kernel = pytest.mark.skipif(LACKS is not None, reason=str(LACKS))
needs_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="calls are put into the server's threads on x86-64 only")


def lines(berth, event="sandbox", starts=1, seconds=10):
    """What so many starts have told; the log is written a moment behind what it tells of."""
    end = time.monotonic() + seconds
    while True:
        told = berth.log_lines()
        if sum(e.get("event") == "start" for e in told) >= starts or time.monotonic() > end:
            return [e for e in told if e.get("event") == event]
        time.sleep(0.02)


def refused(command, home):
    """What a start that must fail says."""
    done = subprocess.run([*map(str, command)], env=clean_env(home), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done
    return done.stderr


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def busy(berth):
    """All kinds of thread run: loops, workers, jobs, audit, webhooks and their resolvers."""
    berth.create("app")
    oci = berth.oci()
    oci.push_image("app", "one", [blob(1), blob(2, 300_000)])
    oci.check_image("app", "one")


def status(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


# -- what holds ----------------------------------------------------------------------------------------------------------


@needs_kernel
def test_no_thread_has_privileges_or_unfiltered_calls(make_berth, scratch):
    (scratch / "log").mkdir()
    berth = make_berth("--audit", str(scratch / "log" / "audit.log"), "--event-webhook", f"http://localhost:{free_port()}/x")
    busy(berth)
    pid = berth.process.pid
    names = set()
    for thread in threads(pid):
        s = status(pid, thread)
        names.add(s["Name"])
        assert s["NoNewPrivs"] == "1", s
        assert s["Seccomp"] == "2", s
        for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(s[caps], 16) == 0, s
        if os.geteuid() == 0:
            assert int(s["CapBnd"], 16) == 0, s
    assert {"berth", "log", "db writer", "jobs", "audit", "events", "http-accept", "http-worker", "MHD-worker"} <= names, names


OPENAT, CLOSE, EXECVE, FORK, CLONE3, SOCKET, BIND, MOUNT, PTRACE, SETUID, UNLINK, MKDIR, RENAME, IO_URING = (
    257, 3, 59, 57, 435, 41, 49, 165, 101, 105, 87, 83, 82, 425)
AT_FDCWD = -100


@needs_kernel
@needs_x86_64
def test_a_forbidden_open_and_exec_fail_in_every_thread_of_the_running_server(make_berth, scratch):
    """The calls are made by the server's own threads, so that it is the kernel's refusal and nobody's good manners."""
    (scratch / "log").mkdir()
    secret = scratch / "secret"
    secret.write_text("of somebody else")
    secret.chmod(0o644)
    berth = make_berth("--audit", str(scratch / "log" / "audit.log"))
    busy(berth)
    mine = str(berth.data / "lock").encode()
    theirs = str(secret).encode()
    pid = berth.process.pid
    seen = 0
    for thread in threads(pid):
        with stopped(pid, thread) as t:
            fd = t.call(OPENAT, AT_FDCWD, mine, os.O_RDONLY)
            assert fd >= 0, f"the server's own file: {fd}"
            assert t.call(CLOSE, fd) == 0
            assert t.call(OPENAT, AT_FDCWD, theirs, os.O_RDONLY) == -errno.EACCES
            assert t.call(OPENAT, AT_FDCWD, theirs, os.O_WRONLY | os.O_TRUNC) == -errno.EACCES
            assert t.call(OPENAT, AT_FDCWD, theirs + b".new", os.O_WRONLY | os.O_CREAT, 0o600) == -errno.EACCES
            assert t.call(OPENAT, AT_FDCWD, b"/proc/1/environ", os.O_RDONLY) == -errno.EACCES
            assert t.call(OPENAT, AT_FDCWD, b"/etc/hosts", os.O_WRONLY) == -errno.EACCES
            assert t.call(UNLINK, theirs) == -errno.EACCES
            assert t.call(MKDIR, theirs + b".folder", 0o700) == -errno.EACCES
            assert t.call(EXECVE, b"/bin/true", 0, 0) == -errno.EPERM
            assert t.call(FORK) == -errno.EPERM
            assert t.call(CLONE3, 0, 0) == -errno.ENOSYS
            assert t.call(PTRACE, 16, os.getpid(), 0, 0) == -errno.EPERM
            assert t.call(MOUNT, b"x", b"/mnt", b"tmpfs", 0, 0) == -errno.EPERM
            assert t.call(SETUID, 0) == -errno.EPERM
            assert t.call(IO_URING, 1, 0) == -errno.EPERM
            assert t.call(SOCKET, socket.AF_PACKET, socket.SOCK_RAW, 0) == -errno.EPERM
            tcp = t.call(SOCKET, socket.AF_INET, socket.SOCK_STREAM, 0)
            assert tcp >= 0
            assert t.call(CLOSE, tcp) == 0
            seen += 1
    assert seen >= 8
    assert secret.read_text() == "of somebody else"
    busy_again = berth.oci()
    busy_again.check_image("app", "one")


@needs_x86_64
@pytest.mark.skipif(SANITIZED, reason="a sanitizer does not like to be interrupted")
def test_the_same_calls_succeed_without_a_sandbox(make_berth, scratch):
    """So the test above can fail."""
    secret = scratch / "secret"
    secret.write_text("of somebody else")
    berth = make_berth("--sandbox", "off")
    pid = berth.process.pid
    for thread in threads(pid)[:3]:
        with stopped(pid, thread) as t:
            fd = t.call(OPENAT, AT_FDCWD, str(secret).encode(), os.O_RDONLY)
            assert fd >= 0
            assert t.call(CLOSE, fd) == 0
            assert t.call(EXECVE, b"/nowhere", 0, 0) == -errno.ENOENT
    assert status(pid, pid)["Seccomp"] == "0"
    wait_for(lambda: lines(berth))
    assert lines(berth)[0]["message"] == "none: any file, any system call"
    assert berth.metrics().sum("berth_sandbox") == 0


# -- what still works ----------------------------------------------------------------------------------------------------


def make_certificate(folder, name):
    folder.mkdir(parents=True)
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], clean_env(folder),
    )
    return ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())


def certificate_of(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10)) as s:
        return s.getpeercert(binary_form=True)


@needs_kernel
def test_the_whole_life_of_a_server_goes_on_inside(make_berth, scratch):
    """Pushes, pulls, mounts, deletions, collection, a log that rotates, certificates renewed as certbot and as Kubernetes do it."""
    logs = scratch / "log"
    logs.mkdir()
    trail = logs / "audit.log"
    live = scratch / "tls" / "live"
    first = make_certificate(scratch / "tls" / "archive" / "1", "one")
    live.mkdir()
    for name in ("cert.pem", "key.pem"):
        (live / name).symlink_to(f"../archive/1/{name}")
    port = free_port()
    berth = make_berth(start=False)
    berth.command = lambda: [
        str(BINARY), "serve", "--sandbox", "require", "--data", str(berth.data), "--listen", f"http://{berth.host}", "--listen", f"127.0.0.1:{port}",
        "--tls-cert", str(live / "cert.pem"), "--tls-key", str(live / "key.pem"), "--default-setting", "BLOB_MOUNTING=ENABLED",
        "--audit", str(trail), "--audit-max-size", "64KiB", "--audit-keep", "3", "--collect-grace", "5s"]
    berth.start()
    assert certificate_of(port) == first

    big = blob("big", 12 << 20)
    berth.create("app", "other")
    oci = berth.oci()
    oci.push_image("app", "one", [big, blob(2)])
    oci.push_image("other", "one", [big, blob(3)], mount_from="app")
    oci.check_image("other", "one")
    http = berth.http()
    assert http.get(f"/v2/app/blobs/{sha256(big)}").body == big
    ecr = berth.client("ecr")
    ecr.delete_repository(repositoryName="app", force=True)
    wait_for(lambda: berth.metrics().sum("berth_collected_blobs_total") >= 1, seconds=40)
    assert http.get("/readyz").status == 200
    assert berth.metrics().sum("process_open_fds") > 5

    # the log rotates by size, and is opened anew
    for i in range(200):
        http.get("/v2/app/tags/list")
        if i % 20 == 0:
            time.sleep(0.15)
    wait_for(lambda: (logs / "audit.log.2").exists())
    trail.rename(logs / "moved")
    berth.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    berth.create("third")
    wait_for(lambda: trail.exists() and "CreateRepository" in trail.read_text())
    assert json.loads(trail.read_text().splitlines()[0])["eventSource"] == "ecr.amazonaws.com"

    # a new certificate in the folder that the links lead into, as certbot does it
    second = make_certificate(scratch / "tls" / "new", "two")
    for name in ("cert.pem", "key.pem"):
        (scratch / "tls" / "new" / name).rename(scratch / "tls" / "archive" / "1" / f"2-{name}")
        (live / "next").symlink_to(f"../archive/1/2-{name}")
        (live / "next").rename(live / name)
    berth.process.send_signal(signal.SIGHUP)
    wait_for(lambda: certificate_of(port) == second)

    assert [e["level"] for e in lines(berth)] == ["info"]
    assert berth.metrics().sum("berth_sandbox") == 4
    berth.restart()
    berth.oci().check_image("other", "one")


@needs_kernel
def test_a_certificate_below_the_folder_is_found_when_the_folder_in_between_changes(make_berth, scratch):
    """As Kubernetes mounts secrets: tls.crt -> ..data/tls.crt, and ..data moves on to another folder."""
    mount = scratch / "mount"
    first = make_certificate(mount / "..1", "one")
    (mount / "..data").symlink_to("..1")
    for name in ("cert.pem", "key.pem"):
        (mount / name).symlink_to(f"..data/{name}")
    port = free_port()
    berth = make_berth(start=False)
    berth.args += ["--sandbox", "require", "--listen", f"https://127.0.0.1:{port}", "--tls-cert", str(mount / "cert.pem"), "--tls-key", str(mount / "key.pem")]
    berth.command = lambda: [str(BINARY), "serve", "--data", str(berth.data), "--listen", f"http://{berth.host}", *berth.args]
    berth.start()
    assert certificate_of(port) == first
    second = make_certificate(mount / "..2", "two")
    (mount / "next").symlink_to("..2")
    (mount / "next").rename(mount / "..data")
    berth.process.send_signal(signal.SIGHUP)
    wait_for(lambda: certificate_of(port) == second)


# -- when it cannot be had ----------------------------------------------------------------------------------------------


SECCOMP_WITHOUT_LANDLOCK = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
program = [(0x20, 0, 0, 0), (0x15, 3, 0, 444), (0x15, 2, 0, 445), (0x15, 1, 0, 446)]  # by the call's number
program += [(0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x00050000 | 38)]  # allow, or ENOSYS
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *x) for x in program))
prog = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, prog) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_what_cannot_be_had_is_named_and_is_enough_unless_all_was_required(make_berth, scratch):
    """A kernel without Landlock is played by a filter that knows none of its calls. A sanitizer has to see everything."""
    berth = make_berth(start=False)
    command = berth.command()
    wrapped = ["python3", "-c", SECCOMP_WITHOUT_LANDLOCK, *command]
    berth.command = lambda: wrapped
    berth.start()
    busy(berth)
    messages = [(e["level"], e["message"]) for e in lines(berth)]
    require = [*wrapped, "--sandbox", "require"]
    if SANITIZED:
        assert messages[0] == ("warn", "not complete: a build with a sanitizer has no sandbox")
        assert berth.metrics().sum("berth_sandbox") == 0
        berth.stop()
        assert "berth: --sandbox require: a build with a sanitizer has no sandbox" in refused(require, scratch)
        berth.start()
        return
    assert messages[0] == ("warn", "not complete: this kernel has no Landlock")
    assert messages[1][1].startswith("any file, only its own system calls (seccomp)")
    assert berth.metrics().sum("berth_sandbox", part="files") == 0
    assert berth.metrics().sum("berth_sandbox", part="system_calls") == 1
    assert status(berth.process.pid, berth.process.pid)["NoNewPrivs"] == "1"

    berth.stop()
    assert "berth: --sandbox require: this kernel has no Landlock" in refused(require, scratch)
    berth.start()


@needs_kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own other users' files")
def test_root_keeps_the_right_to_a_folder_of_somebody_else(make_berth, scratch):
    berth = make_berth()
    berth.stop()
    for at, folders, files in os.walk(berth.data):
        for name in [at, *(os.path.join(at, x) for x in folders + files)]:
            os.chown(name, 65534, 65534)
    berth.start()
    busy(berth)
    assert any(e["level"] == "warn" and f"{berth.data} belongs to another user" in e["message"] for e in lines(berth, starts=2))
    assert int(status(berth.process.pid, berth.process.pid)["CapEff"], 16) == 0b110
    assert berth.metrics().sum("berth_sandbox", part="no_capabilities") == 0
    berth.stop()
    assert "belongs to another user" in refused([*berth.command(), "--sandbox", "require"], scratch)
    berth.start()
