"""The environment that programs under test see: nothing of the caller's that could change what they do.

Proxies, certificate bundles, AWS profiles, registry logins and Docker hosts of the person who runs the tests must not leak in: the AWS
CLI refuses some certificate bundles, podman reads logins from the home folder, docker talks to whatever DOCKER_HOST names.
"""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The last: a build that counts what is run writes the counts when it ends, which the sandbox would not let it (tools/coverage.sh).
KEPT = ("PATH", "LANG", "TZ", "TMPDIR", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "BERTH_SANDBOX")


def clean_env(home, **more):
    """home becomes HOME and the place of every login file; more is added as it stands."""
    env = {k: os.environ[k] for k in KEPT if k in os.environ}
    path = env.get("PATH", "/usr/bin:/bin")
    env["PATH"] = f"{ROOT}/.venv/bin:{ROOT}/build/gobin:{path}:/usr/sbin:/sbin"
    env["HOME"] = str(home)
    env["XDG_RUNTIME_DIR"] = str(home)
    env["REGISTRY_AUTH_FILE"] = f"{home}/auth.json"
    env["DOCKER_CONFIG"] = f"{home}/.docker"
    env["AWS_EC2_METADATA_DISABLED"] = "true"
    env["AWS_PAGER"] = ""
    env["LC_ALL"] = "C.UTF-8"
    env["no_proxy"] = env["NO_PROXY"] = "127.0.0.1,localhost"
    env.update({k: str(v) for k, v in more.items()})
    return env


def which(name, home="/"):
    return shutil.which(name, path=clean_env(home)["PATH"])


class CommandFailed(AssertionError):
    pass


def run(args, env, check=True, timeout=100, cwd=None, text=None):
    """Runs a program without input (or with text as its input); output of both streams is in .stdout."""
    done = subprocess.run(
        [str(a) for a in args], env=env, cwd=cwd, timeout=timeout, encoding="utf-8", errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **({"input": text} if text is not None else {"stdin": subprocess.DEVNULL}),
    )
    if check and done.returncode:
        raise CommandFailed(f"{' '.join(map(str, args))}: exit status {done.returncode}\n{done.stdout[-4000:]}")
    return done
