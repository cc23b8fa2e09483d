"""A real Berth in a folder of its own, on a port of its own; and what a test wants to ask it from the side."""

import base64
import configparser
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import boto3
import botocore.config

from .env import ROOT, clean_env, run
from .http import Http
from .oci import Oci

BINARY = pathlib.Path(os.environ.get("BERTH_BINARY", ROOT / "build" / "berth")).resolve()
# Sanitizers and a loaded machine stretch everything; waits are generous because they end as soon as what they wait for is there.
START_SECONDS = 30
STOP_SECONDS = 30
# Whether this is a build with a sanitizer: several times slower, and in need of /proc.
SANITIZED = BINARY.exists() and any(x in BINARY.read_bytes() for x in (b"__asan_init", b"__tsan_init"))
# Looks at the folder after each test. The TSan build would take ten times as long for what one thread does; it looks when a test asks.
CHECKER = ROOT / "build" / "berth" if BINARY.exists() and b"__tsan_init" in BINARY.read_bytes() and (ROOT / "build" / "berth").exists() else None
SANITIZER = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error: ")

# One for all: it keeps the description of each service, which takes boto3 longer to read than a server to start.
_session = boto3.session.Session()
_session_lock = threading.Lock()

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a test run that is killed leaves no servers behind


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class ServerFailed(AssertionError):
    pass


class Server:
    """data: its folder; log: its standard error; out: its standard output; port, url, host: where it listens."""

    def __init__(self, folder, args=(), env=None, setting="ENABLED", binary=BINARY):
        self.folder = pathlib.Path(folder)
        self.home = self.folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.log = self.folder / "berth.log"
        self.out = self.folder / "berth.out"
        self.binary = binary
        self.args = list(args)
        if setting:
            self.args += ["--default-setting", f"BLOB_MOUNTING={setting}"]
        self.more_env = dict(env or {})
        self.port = free_port()
        self.process = None
        self.expected_errors = []
        self.check_at_end = True
        self._clients = []
        self._token = None

    # -- life ------------------------------------------------------------------------------------------------------------

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.host}"

    def env(self, **more):
        """For AWS CLI and SDKs: this server is the endpoint, its root key the credentials."""
        return clean_env(
            self.home, AWS_ENDPOINT_URL=self.url, AWS_SHARED_CREDENTIALS_FILE=self.credentials_file,
            AWS_CONFIG_FILE=self.data / "config", **more,
        )

    def command(self):
        return [str(self.binary), "serve", "--data", str(self.data), "--listen", self.host, *self.args]

    def start(self, wait=True):
        assert self.process is None, "runs already"
        env = clean_env(self.home, **self.more_env)
        env.setdefault("ASAN_OPTIONS", "exitcode=99:detect_leaks=1")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        env.setdefault("TSAN_OPTIONS", f"exitcode=99:suppressions={ROOT}/tests/harness/tsan.supp")
        with open(self.log, "ab") as log, open(self.out, "ab") as out:
            self.process = subprocess.Popen(
                self.command(), env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=log, preexec_fn=_die_with_parent,
            )
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise ServerFailed(f"the server ended with status {self.process.returncode} at its start:\n{self.log_tail()}")
            try:
                http = Http(self.port, timeout=5)
                status = http.get("/healthz").status
                http.close()
                if status == 200:
                    return
            except OSError:
                time.sleep(0.005)
        raise ServerFailed(f"no answer on {self.url}/healthz within {START_SECONDS} s:\n{self.log_tail()}")

    def _forget(self):
        for c in self._clients:
            c.close()
        self._clients.clear()
        self.process = None

    def stop(self):
        """SIGTERM; the server must end by itself, with status 0."""
        process = self.process
        for c in self._clients:
            c.close()
        process.terminate()
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServerFailed(f"the server did not end within {STOP_SECONDS} s after SIGTERM:\n{self.log_tail()}") from None
        finally:
            self._forget()
        if status:
            raise ServerFailed(f"the server ended with status {status} after SIGTERM:\n{self.log_tail()}")

    def kill(self):
        """SIGKILL, as power loss for the process."""
        self.process.kill()
        self.process.wait()
        self._forget()

    def restart(self):
        self.stop()
        return self.start()

    def finish(self):
        """After a test: the server is alive, ends well, has logged no error, and its folder keeps every promise."""
        if self.process is not None:
            died = self.process.poll()
            if died is not None:
                self._forget()
                raise ServerFailed(f"the server died with status {died}:\n{self.log_tail()}")
            self.stop()
        found = SANITIZER.search(self.log_text())
        if found:
            raise ServerFailed(f"sanitizer report:\n{self.log_text()[found.start() - 200 if found.start() > 200 else 0:][:6000]}")
        errors = [e for e in self.log_lines() if e.get("level") == "error" and not any(re.search(x, json.dumps(e)) for x in self.expected_errors)]
        if errors:
            raise ServerFailed(f"{len(errors)} error lines in the log, the first: {errors[0]}")
        if self.check_at_end and self.data.exists():
            self.check(deep=True, binary=CHECKER)

    def discard(self):
        """Whatever happened: nothing stays running, nothing stays on disk."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._forget()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- the log ---------------------------------------------------------------------------------------------------------

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines=15):
        return "\n".join(line[:400] for line in self.log_text().splitlines()[-lines:])

    def log_lines(self):
        """The log as objects. A line that is no JSON object is reported as one with level "error"."""
        got = []
        for line in self.log_text().splitlines():
            try:
                got.append(json.loads(line))
            except ValueError:
                got.append({"level": "error", "event": "not JSON", "message": line})
        return got

    def access_log(self, want=None, seconds=3):
        """The lines of requests. want: a predicate; waits until a line satisfies it (the log is written behind the answer)."""
        end = time.monotonic() + seconds
        while True:
            lines = [e for e in self.log_lines() if "status" in e]
            if want is None or any(want(e) for e in lines):
                return lines
            if time.monotonic() > end:
                raise AssertionError(f"no such line in the access log; the last: {lines[-3:]}")
            time.sleep(0.02)

    # -- identity and clients --------------------------------------------------------------------------------------------

    @property
    def credentials_file(self):
        return pathlib.Path(self.more_env.get("BERTH_CREDENTIALS", self.data / "credentials"))

    @property
    def credentials(self):
        """(key id, secret) of the account's root."""
        file = configparser.ConfigParser()
        file.read(self.credentials_file)
        return file["default"]["aws_access_key_id"], file["default"]["aws_secret_access_key"]

    @property
    def region(self):
        file = configparser.ConfigParser()
        file.read(self.data / "config")
        return file["default"]["region"]

    @property
    def account(self):
        return self.client("sts").get_caller_identity()["Account"]

    def client(self, service, **kw):
        """A boto3 client with the root key."""
        key, secret = self.credentials
        kw.setdefault("region_name", self.region)
        kw.setdefault("aws_access_key_id", key)
        kw.setdefault("aws_secret_access_key", secret)
        kw.setdefault("endpoint_url", self.url)
        config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=10, read_timeout=60, proxies={})
        with _session_lock:
            client = _session.client(service, config=config.merge(kw.pop("config", botocore.config.Config())), **kw)
        self._clients.append(client)
        return client

    @property
    def token(self):
        """The password for user AWS. It outlives restarts."""
        if self._token is None:
            data = self.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
            user, _, self._token = base64.b64decode(data).decode().partition(":")
            assert user == "AWS"
        return self._token

    def http(self, auth=True, **kw):
        h = Http(self.port, auth=("AWS", self.token) if auth else None, **kw)
        self._clients.append(h)
        return h

    def oci(self):
        return Oci(self.http())

    def aws(self, *args, check=True, timeout=100):
        """The AWS CLI of the virtual environment. Returns parsed JSON, or the text if it is none."""
        done = run([ROOT / ".venv/bin/aws", "--output", "json", *args], self.env(), check=check, timeout=timeout)
        if not check:
            return done
        try:
            return json.loads(done.stdout) if done.stdout.strip() else None
        except ValueError:
            return done.stdout

    def create(self, *names, **kw):
        """Repositories, by the ECR API."""
        ecr = self.client("ecr")
        return [ecr.create_repository(repositoryName=n, **kw)["repository"] for n in names]

    # -- from the side ---------------------------------------------------------------------------------------------------

    def metrics(self):
        return Metrics(Http(self.port, timeout=10).get("/metrics").body.decode())

    def berth(self, command, *args, check=True, timeout=100, binary=None):
        """Another command of the program, on this server's folder."""
        env = clean_env(self.home, ASAN_OPTIONS="exitcode=99:detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1", **self.more_env)
        return run([binary or self.binary, *command.split(), "--data", self.data, *self.key_args(), *args], env, check=check, timeout=timeout)

    def begin(self, command, *args):
        """The same, not waited for."""
        return subprocess.Popen(
            [self.binary, *command.split(), "--data", self.data, *self.key_args(), *args], env=clean_env(self.home, **self.more_env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=_die_with_parent,
        )

    def key_args(self):
        """What of the server's options says where its keys are: commands need the same."""
        found = []
        for option, value in zip(self.args, self.args[1:]):
            if str(option).startswith(("--root-key", "--pkcs11-", "--kms-")) and option != "--kms-cache":
                found += [option, value]
        return found

    def savings(self):
        return json.loads(self.berth("savings", "--json").stdout)

    def gc(self, *args):
        return self.berth("gc", *args)

    def check(self, deep=True, binary=None):
        """`berth check`, which must find nothing."""
        done = self.berth("check", *(["--deep"] if deep else []), check=False, binary=binary)
        if done.returncode:
            raise ServerFailed(f"berth check: exit status {done.returncode}\n{done.stdout[-4000:]}")
        return done.stdout

    def blob_files(self):
        """{path below the data folder: size} of stored blobs that have a file."""
        root = self.data / "blobs"
        return {str(p.relative_to(self.data)): p.stat().st_size for p in root.rglob("*") if p.is_file()} if root.exists() else {}

    def blob_objects(self):
        """The same of all stored blobs; of those without a file the key in place of the path."""
        out = self.blob_files()
        if (self.data / "berth.db").exists():
            with contextlib.closing(sqlite3.connect(f"file:{self.data / 'berth.db'}?mode=ro", uri=True)) as db:
                out.update(db.execute("SELECT hex(b.store_key), length(s.bytes) FROM small_object s JOIN blob b ON b.id = s.blob_id"))
        return out

    def blob_bytes(self):
        return sum(self.blob_objects().values())

    def holds_file_of(self, size):
        """How many stored blobs have exactly this size, as it is or sealed (docs/segment-format.md)."""
        sizes = {size, 48 + size + 28 * (size // 65536 + 1)}
        return sum(1 for s in self.blob_objects().values() if s in sizes)

    def rss_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")


class Metrics(dict):
    """A Prometheus text: {(name, frozenset of (label, value))): number}."""

    LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")
    LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')

    def __init__(self, text):
        super().__init__()
        self.text = text
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            m = self.LINE.match(line)
            assert m, f"not a metric: {line!r}"
            self[m[1], frozenset(self.LABEL.findall(m[2] or ""))] = float(m[3])

    def sum(self, name, **labels):
        """Over all series of that name that have these labels."""
        want = set(labels.items())
        return sum(v for (n, have), v in self.items() if n == name and want <= have)

    def mounts(self, outcome="mounted"):
        return self.sum("berth_mounts_total", outcome=outcome)
