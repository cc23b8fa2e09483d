#!/usr/bin/env python3
"""Writes an OCI image layout of Berth: oci_image.py BERTH FOLDER.

Two layers: what the program stands on (libraries, certificates, user), which changes rarely, and the program. The same input
gives the same bytes: entries are sorted, times are SOURCE_DATE_EPOCH, owners are fixed.
"""

import ctypes
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

USER = 65532
DATA = "var/lib/berth"
PORT = 5000
LOADED = ["libcurl.so.4"]  # src/net/curl_lib.c
CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "riscv64": "riscv64", "ppc64le": "ppc64le", "s390x": "s390x"}

ENVIRONMENT = [
    "PATH=/usr/bin",
    f"BERTH_DATA=/{DATA}",
    # A container's loopback is out of reach; who publishes the port decides who reaches it. With a certificate it is TLS.
    f"BERTH_LISTEN=:{PORT}",
    "BERTH_ALLOW_PLAIN_HTTP=on",
]


def epoch():
    return int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def needed(program):
    """Paths of the libraries and of the loader, as the loader itself resolves them."""
    text = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    if "not found" in text:
        sys.exit(f"oci_image.py: a library is missing:\n{text}")
    return re.findall(r"(?:=> )?(/\S+) \(0x", text)


def loaded(name):
    """The path of a library that the program loads when it first needs it."""
    ctypes.CDLL(name)
    with open("/proc/self/maps") as maps:
        paths = [line.split()[-1] for line in maps if "/" in line]
    return next(path for path in paths if os.path.basename(path).startswith(name))


def libraries(program):
    """Path in the image: file."""
    found = {path: path for path in needed(program)}
    for name in LOADED:
        path = loaded(name)
        found |= {each: each for each in needed(path)}
        found[os.path.join(os.path.dirname(path), name)] = path
    return sorted(found.items())


def stripped(program):
    with tempfile.NamedTemporaryFile() as out:
        if shutil.which("strip"):
            subprocess.run(["strip", "--strip-unneeded", "-o", out.name, program], check=True)
            return pathlib.Path(out.name).read_bytes()
    return pathlib.Path(program).read_bytes()


class Tar:
    """A tar in memory whose folders appear before what is in them."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.USTAR_FORMAT)
        self.folders = set()

    def _entry(self, name, mode, owner):
        entry = tarfile.TarInfo(name)
        entry.mode, entry.mtime, entry.uid, entry.gid = mode, epoch(), owner, owner
        return entry

    def folder(self, name, mode=0o755, owner=0):
        parent = os.path.dirname(name)
        if parent:
            self.folder(parent)
        if name not in self.folders:
            self.folders.add(name)
            entry = self._entry(name, mode, owner)
            entry.type = tarfile.DIRTYPE
            self.tar.addfile(entry)

    def file(self, name, data, mode=0o644):
        self.folder(os.path.dirname(name))
        entry = self._entry(name, mode, 0)
        entry.size = len(data)
        self.tar.addfile(entry, io.BytesIO(data))

    def close(self):
        self.tar.close()
        return self.bytes.getvalue()


def base_layer(program):
    tar = Tar()
    tar.file("etc/group", f"root:x:0:\nberth:x:{USER}:\n".encode())
    tar.file("etc/passwd", f"root:x:0:0:root:/:/sbin/nologin\nberth:x:{USER}:{USER}:Berth:/{DATA}:/sbin/nologin\n".encode())
    if CERTIFICATES.exists():
        tar.file(str(CERTIFICATES)[1:], CERTIFICATES.read_bytes())
    for path, file in libraries(program):
        tar.file(path[1:], pathlib.Path(file).read_bytes(), 0o755)
    tar.folder("tmp", 0o1777)
    tar.folder(DATA, 0o700, USER)
    return tar.close()


def program_layer(program):
    tar = Tar()
    tar.file("usr/bin/berth", stripped(program), 0o755)
    return tar.close()


class Layout:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "blobs/sha256").mkdir(parents=True)

    def blob(self, media_type, data, **more):
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}

    def json(self, media_type, value, **more):
        return self.blob(media_type, json.dumps(value, separators=(",", ":")).encode(), **more)

    def finish(self, descriptor):
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [descriptor]}
        (self.folder / "index.json").write_text(json.dumps(index))
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def main(program, folder):
    version = subprocess.run([program, "version"], check=True, capture_output=True, text=True).stdout.split()[1]
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch()))
    layout = Layout(folder)
    tars = [base_layer(program), program_layer(program)]
    layers = [layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(t, 9, mtime=0)) for t in tars]
    annotations = {
        "org.opencontainers.image.title": "berth",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.description": "A private container registry that speaks Amazon ECR",
    }
    machine = platform.machine()
    config = layout.json("application/vnd.oci.image.config.v1+json", {
        "created": created,
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "ExposedPorts": {f"{PORT}/tcp": {}},
            "Env": ENVIRONMENT,
            "Entrypoint": ["/usr/bin/berth", "serve"],
            "Volumes": {f"/{DATA}": {}},
            "WorkingDir": f"/{DATA}",
            "Labels": annotations,
            "StopSignal": "SIGTERM",
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]},
        "history": [
            {"created": created, "created_by": "tools/oci_image.py: libraries, certificates, user"},
            {"created": created, "created_by": "tools/oci_image.py: berth"},
        ],
    })
    manifest = layout.json("application/vnd.oci.image.manifest.v1+json", {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": layers,
        "annotations": annotations,
    }, annotations={"org.opencontainers.image.ref.name": version})
    layout.finish(manifest)
    print(f"{folder}:{version}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
