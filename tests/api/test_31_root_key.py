"""Where the root key is, and what a server does without it: nothing, and says so in one line."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from harness.env import clean_env, run
from harness.oci import blob
from harness.server import BINARY, free_port


def content(folder):
    """Every file's bytes, mode and name, but the database's shared memory and an empty log, which any reader makes."""
    return {
        str(p.relative_to(folder)): (p.stat().st_mode, hashlib.sha256(p.read_bytes()).hexdigest())
        for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.endswith(("-shm", "lock")) and not (p.name.endswith("-wal") and p.stat().st_size == 0)
    }


@pytest.fixture
def filled(make_berth, scratch):
    """A stopped server whose root key is outside its folder, with an image in each type of repository."""
    key = scratch / "secrets" / "root-key"
    key.parent.mkdir(mode=0o700)
    berth = make_berth(env={"BERTH_ROOT_KEY": str(key)})
    for kind in ("AES256", "KMS", "KMS_DSSE"):
        repo = kind.lower().replace("_", "-")
        berth.create(repo, encryptionConfiguration={"encryptionType": kind})
        berth.oci().push_image(repo, "1", [blob(kind, 200000)])
    berth.stop()
    berth.key = key
    return berth


def works(berth):
    for repo in ("aes256", "kms", "kms-dsse"):
        assert berth.oci().check_image(repo, "1") > 200000
    assert berth.client("sts").get_caller_identity()


def start(berth, *args, command="serve", env=None):
    more = ["--listen", f"127.0.0.1:{free_port()}"] if command == "serve" else []
    return subprocess.run(
        [BINARY, command, "--data", str(berth.data), *more, *map(str, args)], env=clean_env(berth.home, **(env or {})), timeout=30,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )


def test_the_first_start_makes_a_root_key_for_its_user_alone(make_berth):
    berth = make_berth()
    key = berth.data / "root-key"
    assert key.stat().st_mode & 0o777 == 0o600
    label, digits, rest = key.read_text().split("\n")
    assert label == "berth root key v1" and len(bytes.fromhex(digits)) == 32 and rest == ""
    berth.restart()
    assert key.read_text().split("\n")[1] == digits


def test_outside_the_data_folder_it_is_nowhere_inside(filled):
    assert filled.key.stat().st_mode & 0o777 == 0o600
    assert not (filled.data / "root-key").exists()
    digits = filled.key.read_text().split("\n")[1]
    for p in filled.data.rglob("*"):
        assert not p.is_file() or (digits.encode() not in p.read_bytes() and bytes.fromhex(digits) not in p.read_bytes())
    filled.start()
    works(filled)


def another_key(key):
    first, digits, _ = key.read_text().split("\n")
    key.write_text(f"{first}\n{digits[::-1]}\n")


BAD = {
    "missing": (lambda k: k.unlink(), "is missing"),
    "another": (another_key, "this is another root key"),
    "readable by others": (lambda k: k.chmod(0o644), "may be read by others (mode 0644)"),
    "readable by the group": (lambda k: k.chmod(0o640), "may be read by others (mode 0640)"),
    "empty": (lambda k: k.write_text(""), "is malformed"),
    "no label": (lambda k: k.write_text("00" * 32 + "\n"), "is malformed"),
    "a digit short": (lambda k: k.write_text(k.read_text()[:-2] + "\n"), "is malformed"),
    "a digit more": (lambda k: k.write_text(k.read_text()[:-1] + "0\n"), "is malformed"),
    "no hex": (lambda k: k.write_text(k.read_text()[:-3] + "xx\n"), "is malformed"),
    "far too long": (lambda k: k.write_text(k.read_text() * 100), "is too long"),
    "a folder": (lambda k: (k.unlink(), k.mkdir()), "is not a file"),
    "a link to nothing": (lambda k: (k.unlink(), k.symlink_to("nowhere")), "is missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_without_its_root_key_nothing_starts_and_nothing_is_changed(filled, name):
    spoil, sentence = BAD[name]
    kept = filled.key.read_bytes()
    spoil(filled.key)
    before = content(filled.data)
    for command in ("serve", "check", "gc", "new-key", "re-encrypt", "savings"):
        done = start(filled, command=command, env={"BERTH_ROOT_KEY": str(filled.key)})
        assert done.returncode == 2, (command, done)
        assert done.stderr.startswith("berth: ") and sentence in done.stderr and done.stderr.count("\n") == 1, (command, done.stderr)
        assert done.stdout == ""
        assert content(filled.data) == before, command
    if filled.key.is_dir():
        filled.key.rmdir()
    filled.key.unlink(missing_ok=True)
    filled.key.write_bytes(kept)
    filled.key.chmod(0o600)
    filled.start()
    works(filled)


def test_a_root_key_is_not_made_for_a_folder_that_had_one(filled):
    before = content(filled.data)
    done = start(filled)  # without --root-key: in the folder, where there is none
    assert done.returncode == 2 and f"{filled.data}/root-key is missing" in done.stderr
    assert content(filled.data) == before and not (filled.data / "root-key").exists()


def test_a_copy_of_the_folder_is_nothing_without_the_root_key_and_all_with_it(filled, make_berth, scratch):
    copy = make_berth(env={"BERTH_ROOT_KEY": str(scratch / "other-key")}, start=False)
    shutil.copytree(filled.data, copy.data)
    assert start(copy, env={"BERTH_ROOT_KEY": str(scratch / "other-key")}).returncode == 2
    assert not (scratch / "other-key").exists()
    shutil.copy(filled.key, scratch / "other-key")
    copy.start()
    works(copy)


def test_a_systemd_credential(make_berth, scratch):
    folder = scratch / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "root-key").write_text("berth root key v1\n" + os.urandom(32).hex() + "\n")
    (folder / "root-key").chmod(0o440)  # as systemd passes them
    berth = make_berth(env={"BERTH_ROOT_KEY": "systemd", "CREDENTIALS_DIRECTORY": str(folder)})
    berth.create("rr")
    digest = berth.oci().push_blob("rr", b"by credential")
    assert not (berth.data / "root-key").exists()
    berth.restart()
    assert berth.oci().get_blob("rr", digest) == b"by credential"
    berth.stop()
    before = content(berth.data)
    for env, sentence in (
        ({}, "systemd passed no credentials; the unit needs LoadCredential=root-key:FILE"),
        ({"CREDENTIALS_DIRECTORY": str(scratch)}, "there is no credential 'root-key'"),
    ):
        done = start(berth, env={"BERTH_ROOT_KEY": "systemd", **env})
        assert done.returncode == 2 and sentence in done.stderr and done.stderr.count("\n") == 1
        assert content(berth.data) == before
    berth.start()


# -- an HSM --------------------------------------------------------------------------------------------------------------

MODULES = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"]


@pytest.fixture
def hsm(scratch):
    """A token of SoftHSM; the environment by which a server uses it."""
    module = next((m for m in MODULES if pathlib.Path(m).exists()), None)
    if module is None:
        pytest.skip("SoftHSM is not installed")
    (scratch / "tokens").mkdir()
    (scratch / "softhsm2.conf").write_text(f"directories.tokendir = {scratch}/tokens\nlog.level = ERROR\n")
    (scratch / "pin").write_text("87654321\n")
    (scratch / "pin").chmod(0o600)
    env = {"SOFTHSM2_CONF": str(scratch / "softhsm2.conf")}
    run(["softhsm2-util", "--init-token", "--free", "--label", "berth", "--so-pin", "12345678", "--pin", "87654321"], clean_env(scratch, **env))
    return {**env, "BERTH_PKCS11_MODULE": module, "BERTH_PKCS11_TOKEN": "berth", "BERTH_PKCS11_PIN_FILE": str(scratch / "pin")}


def test_an_hsm_holds_the_key_that_opens_the_root_key(make_berth, hsm, scratch):
    berth = make_berth(env=hsm)
    assert not (berth.data / "root-key").exists() and (berth.data / "root-key.wrapped").exists()
    for kind in ("AES256", "KMS", "KMS_DSSE"):
        repo = kind.lower().replace("_", "-")
        berth.create(repo, encryptionConfiguration={"encryptionType": kind})
        berth.oci().push_image(repo, "1", [blob(kind, 200000)])
    berth.restart()
    works(berth)
    berth.stop()
    before = content(berth.data)
    for change, what in (
        (lambda: (scratch / "pin").write_text("11111111\n"), "PIN"),
        (lambda: (scratch / "pin").unlink(), "pin"),
        (lambda: shutil.move(scratch / "tokens", scratch / "away"), "berth"),
    ):
        change()
        done = start(berth, env=hsm)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stderr.startswith("berth: "), done.stderr
        assert what.lower() in done.stderr.lower(), done.stderr
        assert content(berth.data) == before
        (scratch / "pin").write_text("87654321\n")
        (scratch / "pin").chmod(0o600)
    shutil.move(scratch / "away", scratch / "tokens")
    berth.start()
    works(berth)
    berth.stop()
    # The data belongs to that root key: without the HSM's settings there is none.
    env = {k: v for k, v in hsm.items() if not k.startswith("BERTH_")}
    assert start(berth, env=env).returncode == 2
    berth.start()
