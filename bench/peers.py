"""The servers that are measured side by side: Berth, Debian's docker-registry, nginx with static files."""

import base64
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import time
from http.client import HTTPSConnection

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.env import clean_env  # noqa: E402
from harness.http import Http  # noqa: E402
from harness.oci import Oci  # noqa: E402
from harness.server import Server, free_port  # noqa: E402


class Peer:
    """name, port, authorization (header value or ""), pid; start, stop, restart on what it has stored."""

    name = "?"
    health = "/v2/"
    needs_repositories = False
    authorization = ""
    process = None
    tls = None  # a folder with cert.pem and key.pem; from the next start on

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    def command(self):
        raise NotImplementedError

    def start(self):
        """Returns the seconds from exec to the first answer."""
        began = time.perf_counter()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while time.perf_counter() < began + 20:
            try:
                self.ask()
                return time.perf_counter() - began
            except OSError:
                time.sleep(0.0005)
        raise RuntimeError(f"{self.name} does not answer: {(self.folder / 'log').read_text()[-2000:]}")

    def ask(self):
        if self.tls:
            http = HTTPSConnection("127.0.0.1", self.port, timeout=5, context=ssl._create_unverified_context())
            http.request("GET", self.health)
            http.getresponse().read()
        else:
            http = Http(self.port, timeout=5)
            http.get(self.health)
        http.close()

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None

    def create(self, names):
        """Repositories, where they have to exist before they are pushed to."""

    def oci(self):
        return Oci(Http(self.port, headers={"Authorization": self.authorization} if self.authorization else {}))

    def pids(self):
        first = self.process.pid
        return [first, *map(int, pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    def cpu(self):
        """Seconds of processor that the process and its children have used."""
        # The clock of a process (clock_getcpuclockid(3)): nanoseconds, where /proc counts in steps of 10 ms.
        return sum(time.clock_gettime((~int(pid) << 3) | 2) for pid in self.pids())

    def memory(self, field="VmRSS"):
        """Bytes, of the process and its children."""
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1]) * 1024
        return total


class Berth(Peer):
    name = "berth"
    health = "/healthz"
    needs_repositories = True

    def __init__(self, folder, *args):
        self.folder = folder
        folder.mkdir(parents=True)
        self.server = Server(folder, ["--access-log", "off", "--image-tags-max", "1000000", *args])
        self.port, self.env = self.server.port, clean_env(self.server.home)

    def command(self):
        return self.server.command() + (["--tls-cert", self.tls / "cert.pem", "--tls-key", self.tls / "key.pem"] if self.tls else [])

    def start(self):
        took = super().start()
        if not self.authorization:
            self.authorization = "Basic " + base64.b64encode(f"AWS:{self.server.token}".encode()).decode()
        return took

    def create(self, names):
        ecr = self.server.client("ecr")
        for name in names:
            ecr.create_repository(repositoryName=name)


class BerthOnDisk(Berth):
    """Stores what it gets as it is: what encryption costs is the difference."""

    name = "berth, encryption disk"

    def __init__(self, folder):
        super().__init__(folder, "--encryption", "disk")


class DockerRegistry(Peer):
    """Debian's, of distribution 2.8."""

    name = "docker-registry"
    binary = "docker-registry"

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.port, self.env = free_port(), clean_env(folder)
        self.env["OTEL_TRACES_EXPORTER"] = "none"
        del self.env["REGISTRY_AUTH_FILE"]  # meant for skopeo; this program reads every REGISTRY_* as its own setting

    def command(self):
        tls = f", tls: {{certificate: {self.tls}/cert.pem, key: {self.tls}/key.pem}}" if self.tls else ""
        (self.folder / "config.yml").write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {self.folder}/data}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '127.0.0.1:{self.port}'{tls}}}\nlog: {{level: error, accesslog: {{disabled: true}}}}\n")
        return [self.binary, "serve", str(self.folder / "config.yml")]


class Distribution(DockerRegistry):
    """Distribution 3, built by tools/gotools.sh where that can be."""

    name = "distribution"
    binary = str(ROOT / "build/gobin/registry")

    @classmethod
    def is_there(cls):
        return os.path.exists(cls.binary)


class Nginx(Peer):
    name = "nginx"
    health = "/"

    def __init__(self, folder):
        self.folder = folder
        (folder / "www").mkdir(parents=True)
        self.port, self.env = free_port(), clean_env(folder)

    def command(self):
        # Workers give up root, and could then not read a folder that is ours alone.
        user, folder = "user root;" if os.geteuid() == 0 else "", self.folder
        tls = f"ssl_certificate {self.tls}/cert.pem; ssl_certificate_key {self.tls}/key.pem;" if self.tls else ""
        (folder / "nginx.conf").write_text(f"""
{user} daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/error.log error;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; default_type application/octet-stream;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{self.port} {"ssl" if self.tls else ""} backlog=4096; {tls} root {folder}/www; }}
}}
""")
        return ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
