"""What a server costs: memory, start."""

import contextlib
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time

from peers import Berth, Distribution, DockerRegistry

MIB = 1 << 20


class Servers:
    def kinds(self):
        return [Berth, DockerRegistry, *([Distribution] if Distribution.is_there() else [])]

    def idle(self):
        """Memory of a fresh server with an empty folder, after a hundred requests and three quiet seconds; then with a
        thousand connections that have asked once and stay."""
        for kind in self.kinds():
            peer = kind(self.folder / f"idle-{kind.name}")
            peer.start()
            peer.create(["bench/idle"])
            oci = peer.oci()
            for _ in range(100):
                oci.http.get("/v2/")
            time.sleep(3)
            self.keep("idle", peer, peer.memory() / MIB)
            self.keep("idle1000", peer, self.with_connections(peer, 1000))
            peer.stop()

    @staticmethod
    def with_connections(peer, count):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 100)), hard))
        auth = f"Authorization: {peer.authorization}\r\n" if peer.authorization else ""
        sockets = []
        for _ in range(count):
            s = socket.create_connection(("127.0.0.1", peer.port))
            s.sendall(f"GET /v2/ HTTP/1.1\r\nHost: x\r\n{auth}\r\n".encode())
            sockets.append(s)
        for s in sockets:
            assert s.recv(4096).startswith(b"HTTP/1.1 200"), "a connection was refused"
        time.sleep(3)
        memory = peer.memory() / MIB
        for s in sockets:
            s.close()
        return memory

    def pushes(self):
        """The most memory a server ever had while it took many large blobs at once."""
        for kind in self.kinds():
            peer = kind(self.folder / f"pushes-{kind.name}")
            peer.start()
            peer.create(["bench/app"])
            got = self.load(peer, "large", self.many, self.many_mib)
            self.keep("pushes", peer, peer.memory("VmHWM") / MIB, seconds=got["seconds"], done=got["done"])
            peer.stop()
            shutil.rmtree(peer.folder, ignore_errors=True)

    def collect(self):
        """`berth gc` beside the server, when many blobs have lost their last repository."""
        peer = Berth(self.folder / "collect")
        peer.start()
        peer.create(["bench/app"])
        while self.blobs_of(peer) < self.collected:
            self.load(peer, "small", 64, 1024, 1, self.blobs_of(peer) + 1000 * 1000)
        pushed, ecr = self.blobs_of(peer), peer.server.client("ecr")
        ecr.delete_repository(repositoryName="bench/app", force=True)
        began, cpu = time.perf_counter(), peer.cpu()
        subprocess.run([*peer.command()[:1], "gc", "--data", peer.server.data, "--collect-grace", "0s"], env=peer.env, check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - began
        if left := self.blobs_of(peer):
            sys.exit(f"{left} of {pushed} blobs were not collected")
        self.keep("collect", peer, took * 1e6 / pushed, seconds=took, blobs=pushed)
        peer.stop()
        shutil.rmtree(peer.folder, ignore_errors=True)

    @staticmethod
    def blobs_of(peer):
        with contextlib.closing(sqlite3.connect(peer.server.data / "berth.db")) as db:
            return db.execute("SELECT count(*) FROM blob").fetchone()[0]

    def start(self):
        """Milliseconds from exec to the first answer, on the folder that the cases before have filled."""
        for peer in self.registries:
            peer.stop()
        for _ in range(self.rounds * 2):
            for peer in self.registries:
                self.keep("start", peer, peer.start() * 1000)
                peer.stop()
        for peer in self.registries:
            peer.start()
