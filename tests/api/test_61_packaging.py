"""What Berth is shipped in: manual, completions, systemd unit, Debian package, image."""

import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest

from harness.env import ROOT, clean_env, run, which
from harness.server import BINARY, Server, free_port


def berth(*args):
    return run([BINARY, *args], clean_env("/")).stdout


def keys():
    return re.findall(r"^  --([a-z0-9-]+)", berth("config"), re.M)


def options(command):
    return berth("config", "--list", command).split()


def need(*programs):
    for p in programs:
        if not which(p):
            pytest.skip(f"{p} is not installed")


def test_the_manual_lists_every_key_with_its_variable(scratch):
    run([ROOT / "tools/make-man.sh", BINARY, scratch / "berth.1"], clean_env(scratch))
    source = (scratch / "berth.1").read_text()
    assert "\n@OPTIONS@" not in source and "@VERSION@" not in source
    for key in keys():
        assert f".It Fl \\-{key}".replace("-", "\\-").replace("\\\\-", "\\-") in source, key
        if key != "config":
            assert f".Pq Ev BERTH_{key.upper().replace('-', '_')}" in source
    for command in ("serve", "check", "gc", "savings", "console", "new-key", "config", "help", "version"):
        assert f"\n.It Cm {command}\n" in source
    need("man")
    done = subprocess.run(["man", "--warnings", "-l", scratch / "berth.1"], env=clean_env(scratch, MANWIDTH=80, MANPAGER="cat"), capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    assert "--tls-cert FILE" in done.stdout


def test_the_sample_configuration_is_complete_and_can_be_read(scratch):
    text = berth("config", "--format", "ini")
    assert sorted(re.findall(r"^#([a-z0-9-]+) = ", text, re.M)) == sorted(set(keys()) - {"config"})
    # Every default is a value that the key takes.
    live = re.sub(r"^#([a-z0-9-]+ = (?![A-Z]))", r"\1", text, flags=re.M)
    (scratch / "berth.conf").write_text(live)
    done = subprocess.run([BINARY, "check", "--config", scratch / "berth.conf", "--data", scratch / "none"], env=clean_env(scratch), capture_output=True, text=True)
    assert done.stderr.startswith("berth: --data "), done.stderr


def complete(scratch, *words):
    need("bash")
    script = (
        f'PATH={BINARY.parent}:$PATH; . {ROOT}/packaging/completion/berth.bash; COMP_WORDS=("$@"); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); '
        '_berth; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return run(["bash", "-c", script, "bash", *words], clean_env(scratch)).stdout.split()


def test_bash_completes_commands_options_and_values(scratch):
    assert {"serve", "check", "gc", "savings", "config"} <= set(complete(scratch, "berth", ""))
    assert complete(scratch, "berth", "savi") == ["savings"]
    assert set(complete(scratch, "berth", "serve", "--")) == {*options("serve"), "--help"}
    assert complete(scratch, "berth", "check", "--de") == ["--deep"]
    (scratch / "folder").mkdir()
    assert complete(scratch, "berth", "serve", "--data", f"{scratch}/fol") == [f"{scratch}/folder"]


def test_both_completions_know_the_choices(scratch):
    help_texts = "".join(berth("help", c) for c in ("serve", "config"))
    choices = re.findall(r"^  --([a-z0-9-]+) ([a-z]+(?:\|[a-z]+)+)$|^  --([a-z0-9-]+) ([a-z]+(?:\|[a-z]+)+)  ", help_texts, re.M)
    assert len(choices) >= 4
    zsh = (ROOT / "packaging/completion/_berth").read_text()
    for a, b, c, d in choices:
        key, values = a or c, (b or d).split("|")
        assert complete(scratch, "berth", "serve", f"--{key}", "") == values
        assert re.search(rf"--{key}\) compadd {' '.join(values)} ;;", zsh)


def test_the_zsh_completion_parses():
    need("zsh")
    run(["zsh", "-n", ROOT / "packaging/completion/_berth"], clean_env("/"))


def test_the_systemd_unit_is_sound_and_closed(scratch):
    need("systemd-analyze")
    root = scratch / "root"
    (root / "lib/systemd/system").mkdir(parents=True)
    unit = root / "lib/systemd/system/berth.service"
    shutil.copy(ROOT / "packaging/berth.service", unit)
    done = subprocess.run(["systemd-analyze", f"--root={root}", "verify", "berth.service"], env=clean_env(scratch), capture_output=True, text=True)
    # Unknown keys and bad values are told with the line; that the empty root lacks programs and targets is no matter.
    assert not re.search(r"berth\.service:\d+:", done.stderr), done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit)], env=clean_env(scratch), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-500:]


class Unpacked(Server):
    """A server of another program, or one that is started in another way."""

    def __init__(self, folder, command):
        super().__init__(folder, setting=None)
        self._command = command

    def command(self):
        return [str(a) for a in self._command]


@pytest.mark.slow
def test_the_debian_package_holds_a_program_that_runs(scratch):
    need("dpkg-deb", "dpkg-shlibdeps", "strip")
    deb = run([ROOT / "tools/make-deb.sh", BINARY, scratch], clean_env(scratch)).stdout.split()[-1]
    fields = run(["dpkg-deb", "-f", deb], clean_env(scratch)).stdout
    version = berth("version").split()[1]
    assert f"Version: {version}\n" in fields
    depends = re.search(r"^Depends: (.*)$", fields, re.M)[1]
    for library in ("libc6", "libgnutls30", "libsqlite3-0", "libjansson4", "libinih1", "libssl3", "libcurl4"):
        assert re.search(rf"\b{library}(t64)?\b", depends), library
    assert re.search(r"\blibmicrohttpd12", depends) or re.search(r"^Built-Using: libmicrohttpd \(= 0\.9\.75", fields, re.M)
    root = scratch / "root"
    run(["dpkg-deb", "-R", deb, root], clean_env(scratch))
    for path in ("lib/systemd/system/berth.service", "usr/share/man/man1/berth.1.gz", "usr/share/bash-completion/completions/berth",
                 "usr/share/zsh/vendor-completions/_berth", "usr/share/doc/berth/copyright"):
        assert (root / path).is_file(), path
    assert (root / "DEBIAN/conffiles").read_text() == "/etc/berth/berth.conf\n"
    for script in ("postinst", "prerm", "postrm"):
        run(["sh", "-n", root / "DEBIAN" / script], clean_env(scratch))
        assert os.access(root / "DEBIAN" / script, os.X_OK)
    assert "\ndata = /var/lib/berth\n" in (root / "etc/berth/berth.conf").read_text()

    server = Unpacked(scratch / "server", [])
    server._command = [root / "usr/bin/berth", "serve", "--config", root / "etc/berth/berth.conf", "--data", server.data, "--listen", server.host]
    try:
        server.start()
        server.create("team/app")
        server.finish()
    finally:
        server.discard()


def extract(layout, root):
    """The image's file system, layer by layer, and its configuration."""
    blob = lambda d: layout / "blobs" / d.replace(":", "/")
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
    for layer in manifest["layers"]:
        with tarfile.open(blob(layer["digest"])) as tar:
            tar.extractall(root, numeric_owner=True)
    return json.loads(blob(manifest["config"]["digest"]).read_text())


@pytest.mark.slow
def test_the_image_runs_and_can_be_pushed_to_itself(scratch):
    need("skopeo", "ldd")
    run([ROOT / "tools/make-image.sh", BINARY, scratch / "image"], clean_env(scratch))
    version = berth("version").split()[1]
    root = scratch / "root"
    config = extract(scratch / "image", root)
    assert config["config"]["Entrypoint"] == ["/usr/bin/berth", "serve"]
    assert config["config"]["ExposedPorts"] == {"5000/tcp": {}}
    assert config["config"]["Volumes"] == {"/var/lib/berth": {}}
    environment = dict(e.split("=", 1) for e in config["config"]["Env"])
    if os.geteuid() != 0:
        pytest.skip("running it needs root, for chroot")

    server = Unpacked(scratch / "server", [])
    server.data = root / "var/lib/berth"
    environment["BERTH_LISTEN"] = server.host  # no network of its own here
    environment["BERTH_EVENT_WEBHOOK"] = f"http://127.0.0.1:{free_port()}/"  # nobody there; what it takes to send must be
    server._command = ["env", "-i", *(f"{k}={v}" for k, v in environment.items()), which("chroot"), f"--userspec={config['config']['User']}", root,
                       *config["config"]["Entrypoint"]]
    try:
        server.start()
        assert (server.data / "credentials").stat().st_uid == 65532
        server.create("berth")
        creds = f"AWS:{server.token}"
        run(["skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", creds, f"oci:{scratch}/image:{version}",
             f"docker://{server.host}/berth:{version}"], clean_env(scratch))
        run(["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "--src-creds", creds, f"docker://{server.host}/berth:{version}",
             f"oci:{scratch}/back:{version}"], clean_env(scratch))
        pushed, back = (json.loads((scratch / n / "index.json").read_text())["manifests"][0]["digest"] for n in ("image", "back"))
        assert pushed == back
        server.finish()
    finally:
        server.discard()


@pytest.mark.slow
def test_packages_are_reproducible(scratch):
    need("dpkg-deb", "dpkg-shlibdeps", "strip", "ldd")
    made = []
    for n in ("one", "two"):
        env = clean_env(scratch, SOURCE_DATE_EPOCH=1700000000)
        deb = run([ROOT / "tools/make-deb.sh", BINARY, scratch / n], env).stdout.split()[-1]
        run([ROOT / "tools/make-image.sh", BINARY, scratch / n / "image"], env)
        with open(deb, "rb") as f:
            made.append((f.read(), (scratch / n / "image/index.json").read_text()))
    assert made[0] == made[1]
