"""Images for the clients, made once a machine in build/images: two that share a base layer, as OCI layouts and docker archives.

Nothing is downloaded and nothing is random: the base is 20 MiB of pseudo-random bytes and a tiny static program, each top a few files.
umoci writes the layouts; its manifests have no mediaType field, which is legal and worth testing.
"""

import fcntl
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import tarfile

from .env import ROOT, clean_env, run

FOLDER = ROOT / "build" / "images"
BASE_BYTES = 20 << 20
VERSION = "3"  # change it when what is made here changes

PROGRAM = r"""
#include <stdio.h>
int main(void) { puts("hello from the image"); return 0; }
"""


def _add(tar, name, data, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), mode, 1700000000
    tar.addfile(entry, io.BytesIO(data))


def _write_tars(folder):
    source = folder / "hello.c"
    source.write_text(PROGRAM)
    subprocess.run(["gcc", "-Os", "-s", "-static", "-o", folder / "hello", source], check=True)
    with tarfile.open(folder / "base.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, "bin/hello", (folder / "hello").read_bytes(), 0o755)
        _add(tar, "base/noise", random.Random("base").randbytes(BASE_BYTES))
    for name in ("one", "two"):
        with tarfile.open(folder / f"top-{name}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            _add(tar, f"top/{name}", random.Random(name).randbytes(300_000))


def _make(folder):
    folder.mkdir(parents=True)
    _write_tars(folder)
    env = clean_env(folder)
    umoci = lambda *a: run(["umoci", *a], env, cwd=folder)
    umoci("init", "--layout", "layout")
    umoci("new", "--image", "layout:base")
    umoci("raw", "add-layer", "--image", "layout:base", "--tag", "base", "base.tar")
    for name in ("one", "two"):
        umoci("tag", "--image", "layout:base", name)
        umoci("raw", "add-layer", "--image", f"layout:{name}", f"top-{name}.tar")
        umoci("config", "--image", f"layout:{name}", "--config.cmd=/bin/hello")
        run(["skopeo", "--insecure-policy", "copy", f"oci:layout:{name}", f"docker-archive:{name}.docker.tar:localhost/{name}:1"], env, cwd=folder)
        run(["skopeo", "--insecure-policy", "copy", f"oci:layout:{name}", f"oci-archive:{name}.oci.tar:localhost/{name}:1"], env, cwd=folder)


def make_images():
    """The folder; made by the first caller, others wait."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with open(FOLDER.parent / ".images.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = FOLDER / "version"
        if not (stamp.exists() and stamp.read_text() == VERSION):
            shutil.rmtree(FOLDER, ignore_errors=True)
            work = pathlib.Path(f"{FOLDER}.{os.getpid()}")
            shutil.rmtree(work, ignore_errors=True)
            _make(work)
            (work / "version").write_text(VERSION)
            work.rename(FOLDER)
    return FOLDER


class Layout:
    """Reads an OCI layout."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def blob(self, digest):
        return (self.folder / "blobs" / digest.replace(":", "/")).read_bytes()

    def digest(self, tag):
        index = json.loads((self.folder / "index.json").read_text())
        for d in index["manifests"]:
            if d.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag:
                return d["digest"]
        raise KeyError(tag)

    def manifest(self, tag):
        return json.loads(self.blob(self.digest(tag)))


# -- many tiny images, each with a layer that no other has -----------------------------------------------------------------


def _tiny(name):
    """(tar of the layer, config) of an image that is told by its name."""
    with io.BytesIO() as out:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            _add(tar, "tiny/name", random.Random(name).randbytes(70_000) + name.encode())
        layer = out.getvalue()
    diff = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/none"]}, "rootfs": {"type": "layers", "diff_ids": [diff]}}
    return layer, json.dumps(config).encode()


def write_tiny_layout(folder, names):
    """An OCI layout with an image a name, tagged with it."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data, media_type, **more):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}", "size": len(data), **more}

    index = []
    for name in names:
        layer, config = _tiny(name)
        manifest = {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": put(config, "config.v1+json"),
            "layers": [put(gzip.compress(layer, 1, mtime=0), "layer.v1.tar+gzip")],
        }
        index.append(put(json.dumps(manifest).encode(), "manifest.v1+json", annotations={"org.opencontainers.image.ref.name": name}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": index}))


def write_tiny_archive(path, tags):
    """A docker archive with an image a name. tags: {name: references}."""
    listed = []
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, references in tags.items():
            layer, config = _tiny(name)
            config_name, layer_name = hashlib.sha256(config).hexdigest() + ".json", hashlib.sha256(layer).hexdigest() + "/layer.tar"
            _add(tar, config_name, config)
            _add(tar, layer_name, layer)
            listed.append({"Config": config_name, "RepoTags": list(references), "Layers": [layer_name]})
        _add(tar, "manifest.json", json.dumps(listed).encode())
