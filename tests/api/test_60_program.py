"""The program as its operator meets it: command line, configuration, start, stop, signals, what it tells about itself."""

import json
import re
import shutil
import socket
import ssl
import stat
import subprocess
import time
from pathlib import Path

import botocore.exceptions
import pytest

from harness.certificate import make_certificate
from harness.env import clean_env, run
from harness.http import Http
from harness.oci import blob, expect, join, sha256
from harness.server import BINARY, free_port


def berth_run(home, *args, env=None, timeout=30):
    return subprocess.run(
        [BINARY, *map(str, args)], env=clean_env(home, **(env or {})), cwd=home, timeout=timeout, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )


def keys():
    """The names of all settings, as the program's own reference has them."""
    text = berth_run("/", "config").stdout
    return re.findall(r"^  --([a-z-]+)", text, re.M)


# -- the command line ----------------------------------------------------------------------------------------------------


def test_help_lists_the_commands_and_each_of_them_explains_itself(scratch):
    overview = berth_run(scratch, "--help")
    assert overview.returncode == 0
    commands = re.findall(r"^  ([a-z-]+) +[A-Z]", overview.stdout, re.M)
    assert {"serve", "check", "gc", "savings", "help", "version"} <= set(commands)
    for c in set(commands) - {"help", "version"}:
        by_help, by_option = berth_run(scratch, "help", c), berth_run(scratch, c, "--help")
        assert by_help.returncode == by_option.returncode == 0
        assert by_help.stdout == by_option.stdout
        assert by_help.stdout.startswith(f"Usage: berth {c}")
        assert max(map(len, by_help.stdout.splitlines())) <= 80
    assert "--listen" in berth_run(scratch, "help", "serve").stdout
    assert "--listen" not in berth_run(scratch, "help", "check").stdout
    assert re.fullmatch(r"berth \d+\.\d+\.\d+\n", berth_run(scratch, "version").stdout)
    assert len(keys()) > 25


BAD_STARTS = [
    (["serv"], {}, "berth: serv: unknown command; did you mean serve?"),
    (["serve", "--lisen", "127.0.0.1:1"], {}, "berth: --lisen: unknown setting; did you mean --listen?"),
    (["serve"], {"BERTH_LISEN": "x"}, "berth: BERTH_LISEN: unknown variable; did you mean BERTH_LISTEN?"),
    (["serve", "--config", "berth.conf"], {}, "berth: berth.conf line 2: lisen: unknown setting; did you mean listen?"),
    (["serve", "--config", "missing.conf"], {}, "berth: --config: missing.conf: cannot be read"),
    (["serve", "--listen", "0.0.0.0:5000"], {},
     "berth: --listen 0.0.0.0:5000: plain HTTP is only served on loopback addresses; give --tls-cert and --tls-key, or --allow-plain-http"),
    (["serve"], {"BERTH_LISTEN": "127.0.0.1"}, "berth: BERTH_LISTEN 127.0.0.1: give an address and a port, such as 127.0.0.1:5000"),
    (["serve", "--no-auth", "--allow-plain-http", "--listen", ":5000"], {}, "berth: --listen :5000: --no-auth is only for loopback addresses"),
    (["serve", "--tls-cert", "x.pem"], {}, "berth: --tls-cert: give --tls-key too"),
    (["serve", "--tls-cert", "x.pem", "--tls-key", "y.pem"], {}, "berth: cannot read the TLS certificate x.pem: "),
    (["serve", "--oidc-ca", "x.pem"], {}, "berth: --oidc-ca: cannot be read"),
    (["serve"], {"BERTH_OIDC_CA": "a-file"}, "berth: BERTH_OIDC_CA: holds no certificate in PEM"),
    (["serve", "--event-webhook-ca", "a-file"], {}, "berth: --event-webhook-ca: holds no certificate in PEM"),
    (["serve", "--account", "12345"], {}, "berth: --account: an account id is twelve digits"),
    (["serve", "--region", "EU"], {}, "berth: --region: a Region is"),
    (["serve", "--domain", "no spaces"], {}, "berth: --domain: not a domain name"),
    (["serve", "--mount-policy", "both"], {}, "berth: --mount-policy: 'both' will not do: mount-policy is one of oci|ecr"),
    (["serve", "--default-setting", "BLOB_MOUNT=ENABLED"], {}, "berth: --default-setting: BLOB_MOUNTING is the only setting"),
    (["serve", "--default-setting", "BLOB_MOUNTING=on"], {}, "berth: --default-setting: BLOB_MOUNTING is ENABLED or DISABLED"),
    (["serve", "--grace", "5"], {}, "berth: --grace: '5' will not do: grace is a time such as"),
    (["serve"], {"BERTH_LAYER_MAX": "1.5GiB"}, "berth: BERTH_LAYER_MAX: '1.5GiB' will not do: layer-max is a size such as"),
    (["serve", "--data", "a-file"], {}, "berth: --data a-file: not a folder"),
    (["serve", "--data", "a-file/below"], {}, "berth: --data a-file/below: cannot be made"),
    (["serve", "--data", "/proc/self"], {}, "berth: --data /proc/self: not writable"),
    (["check", "--data", "nowhere"], {}, "berth: --data nowhere: not usable: No such file or directory"),
    (["savings", "--data", "."], {}, "berth: --data .: holds no registry"),
    (["gc", "--listen", "x"], {}, "berth: --listen: not an option of this command"),
]


@pytest.mark.parametrize("args, env, message", BAD_STARTS, ids=[" ".join(a + [f"{k}={v}" for k, v in e.items()]) for a, e, _ in BAD_STARTS])
def test_a_bad_start_is_one_clear_line(scratch, args, env, message):
    (scratch / "a-file").write_text("")
    (scratch / "berth.conf").write_text("[berth]\nlisen = 127.0.0.1:1\n")
    done = berth_run(scratch, *args, env=env)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1 and done.stderr.endswith("\n")
    # Nothing was made for a configuration that cannot serve. (A certificate is opened last.)
    if "x.pem" not in message:
        assert not (scratch / "berth-data").exists()


def test_a_port_that_is_taken_is_named(berth, scratch):
    done = berth_run(scratch, "serve", "--data", scratch / "other", "--listen", berth.host)
    assert done.returncode == 2
    assert done.stderr.startswith("berth: ") and berth.host in done.stderr and done.stderr.count("\n") == 1


def test_a_data_folder_has_one_server(berth, scratch):
    done = berth_run(scratch, "serve", "--data", berth.data, "--listen", f"127.0.0.1:{free_port()}")
    assert done.returncode == 2
    assert done.stderr == f"berth: --data {berth.data}: in use by another server: process {berth.process.pid}\n"
    berth.kill()  # the lock ends with the process
    berth.start()


def test_file_environment_and_command_line_know_the_same_keys(make_berth, scratch):
    (scratch / "berth.conf").write_text("# ours\n[berth]\nregion = eu-north-1\naccount = 111122223333\naccess-log = off\n")
    berth = make_berth("--config", scratch / "berth.conf", "--region", "eu-south-1", env={"BERTH_REGION": "eu-west-1", "BERTH_ACCESS_LOG": "on"})
    assert berth.region == "eu-south-1"
    assert berth.account == "111122223333"
    assert berth.access_log(lambda e: e["operation"] == "GetCallerIdentity")


# -- the first start and later ones --------------------------------------------------------------------------------------


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_account_and_key_and_says_what_to_type(make_berth):
    berth = make_berth()
    assert mode(berth.data) == 0o700
    assert mode(berth.data / "credentials") == 0o600
    assert [p.name for p in berth.data.iterdir() if mode(p) & 0o077] == []
    key, secret = berth.credentials
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key) and len(secret) == 40
    assert re.fullmatch(r"[1-9]\d{11}", berth.account)
    assert berth.region == "us-east-1"
    said = berth.out.read_text()
    for line in (
        rf"Berth \S+ is ready \(\d+ ms\)", rf"  listening +{berth.url}", rf"  data +{berth.data}", rf"  account +{berth.account}, Region us-east-1",
        rf"  credentials +{berth.data}/credentials \(new\)", rf"  export AWS_SHARED_CREDENTIALS_FILE={berth.data}/credentials",
        rf"  export AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL={berth.url}",
        rf"  aws ecr get-login-password \| docker login --username AWS --password-stdin {berth.host}",
    ):
        assert re.search(f"^{line}$", said, re.M), line
    assert secret not in said and secret not in berth.log_text()


def test_the_commands_of_the_banner_work_as_they_stand(berth, scratch):
    wait_until(lambda: "docker login" in berth.out.read_text())  # it is written when the server answers already
    commands = [c.strip() for c in berth.out.read_text().partition("Next, in another terminal:\n")[2].splitlines() if c.strip()]
    assert len(commands) == 5 and commands[-1].startswith("aws ecr get-login-password | docker login")
    script = "set -e\n" + "\n".join(commands[:-1]) + "\naws ecr get-login-password | wc -c\n"
    done = run(["bash", "-c", script], clean_env(scratch), timeout=100)
    assert "team/app" in done.stdout and "ENABLED" in done.stdout
    assert int(done.stdout.split()[-1]) > 100


def test_a_restart_keeps_account_keys_region_and_content(make_berth):
    berth = make_berth("--region", "ap-south-1")
    account, credentials, token = berth.account, berth.credentials, berth.token
    berth.create("team/app")
    digest = berth.oci().push_blob("team/app", blob("kept"))
    berth.args = [a for a in berth.args if a not in ("--region", "ap-south-1")]
    berth.restart()
    assert (berth.account, berth.credentials, berth.region) == (account, credentials, "ap-south-1")
    assert berth.token == token
    assert berth.oci().has_blob("team/app", digest)
    assert "(new)" not in berth.out.read_text().rpartition("is ready")[2]


def test_another_account_for_the_same_folder_is_refused(make_berth, scratch):
    berth = make_berth("--account", "111122223333")
    berth.stop()
    done = berth_run(scratch, "serve", "--data", berth.data, "--listen", berth.host, "--account", "444455556666")
    assert done.returncode == 2
    assert done.stderr.startswith("berth: --account 444455556666: this data folder belongs to account 111122223333")
    berth.start()
    assert berth.account == "111122223333"


def says(berth, text):
    """Waits until it stands in the server's output, which is written when it answers already."""
    end = time.monotonic() + 5
    while text not in berth.out.read_text():
        assert time.monotonic() < end, berth.out.read_text()
        time.sleep(0.01)


def test_lost_credentials_can_be_made_anew_while_the_server_runs(berth):
    old = berth.credentials
    (berth.data / "credentials").unlink()
    berth.restart()
    assert not (berth.data / "credentials").exists()
    says(berth, "is gone; 'berth new-key' makes another key")
    said = berth.berth("new-key").stdout
    assert mode(berth.data / "credentials") == 0o600
    assert berth.credentials != old and berth.credentials[1] not in said
    assert berth.client("sts").get_caller_identity()["Arn"].endswith(":root")


def test_credentials_can_be_kept_out_of_the_data_folder(make_berth, scratch):
    away = scratch / "away"
    berth = make_berth(env={"BERTH_CREDENTIALS": str(away / "berth" / "me")}, start=False)
    done = berth_run(scratch, "serve", "--data", berth.data, "--listen", berth.host, "--credentials", away / "berth" / "me")
    assert done.returncode == 2 and done.stderr == f"berth: --credentials {away}/berth/me: there is no such folder\n"
    (away / "berth").mkdir(parents=True)
    berth.start()
    assert mode(away / "berth" / "me") == 0o600 and not (berth.data / "credentials").exists()
    says(berth, f"AWS_SHARED_CREDENTIALS_FILE={away}/berth/me")
    old = berth.credentials
    assert f"{away}/berth/me" in berth.berth("new-key").stdout and not (berth.data / "credentials").exists()
    assert berth.credentials != old and berth.client("sts").get_caller_identity()["Arn"].endswith(":root")
    # Once written, neither the file nor its folder is needed.
    shutil.move(away, scratch / "kept")
    berth.restart()
    says(berth, "is gone; 'berth new-key' makes another key")
    assert not away.exists()
    shutil.move(scratch / "kept", away)
    assert berth.client("sts").get_caller_identity()["Arn"].endswith(":root")


@pytest.mark.slow
def test_the_first_answer_comes_within_100_ms(make_berth):
    berth = make_berth()
    took = []
    for _ in range(6):
        berth.stop()
        began = time.monotonic()
        berth.start()
        took.append(time.monotonic() - began)
    # Other work on the machine makes some starts slower; none makes one faster.
    assert min(took) < 0.1, took


def test_no_auth_takes_everybody_for_root(make_berth):
    berth = make_berth("--no-auth")
    http = berth.http(auth=False)
    expect(http.get("/v2/"), 200)
    client = berth.client("ecr", aws_access_key_id="any", aws_secret_access_key="any")
    client.create_repository(repositoryName="free/for/all")
    r = http.post("/v2/free/for/all/blobs/uploads/")
    expect(r, 202)
    assert "--no-auth lets everybody do everything" in berth.out.read_text()


# -- stopping ------------------------------------------------------------------------------------------------------------


class SlowPut:
    """A PUT of a blob whose second half comes when the test says so."""

    def __init__(self, berth, repo, data):
        self.data = data
        at = join(berth.oci().upload(repo), digest=sha256(data))
        target = at.partition(berth.host)[2] or at
        auth = berth.http().headers["Authorization"]
        self.socket = socket.create_connection(("127.0.0.1", berth.port), timeout=20)
        self.socket.sendall(
            f"PUT {target} HTTP/1.1\r\nHost: {berth.host}\r\nAuthorization: {auth}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {len(data)}\r\n\r\n".encode() + data[: len(data) // 2]
        )
        time.sleep(0.2)

    def finish(self):
        self.socket.sendall(self.data[len(self.data) // 2 :])
        return self.socket.recv(4096).split(b"\r\n")[0]

    def close(self):
        self.socket.close()


def test_sigterm_lets_running_requests_finish(berth):
    berth.create("team/app")
    put = SlowPut(berth, "team/app", blob("slow", 300_000))
    berth.process.terminate()
    time.sleep(0.3)
    assert berth.process.poll() is None
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", berth.port), timeout=5).close()
    assert put.finish() == b"HTTP/1.1 201 Created"
    put.close()
    assert berth.process.wait(20) == 0
    berth._forget()
    berth.start()
    assert berth.oci().has_blob("team/app", sha256(put.data))


def test_the_grace_is_bounded(make_berth):
    berth = make_berth("--grace", "1s")
    berth.create("team/app")
    put = SlowPut(berth, "team/app", blob("endless", 300_000))
    began = time.monotonic()
    berth.process.terminate()
    assert berth.process.wait(20) == 0
    assert 0.8 < time.monotonic() - began < 10
    put.close()
    berth._forget()


def test_a_second_signal_ends_the_server_at_once(berth):
    berth.create("team/app")
    put = SlowPut(berth, "team/app", blob("endless", 300_000))
    berth.process.terminate()
    time.sleep(0.3)
    assert berth.process.poll() is None
    began = time.monotonic()
    berth.process.terminate()
    assert berth.process.wait(20) == -15
    assert time.monotonic() - began < 2
    put.close()
    berth._forget()
    berth.start()


def test_systemd_is_told_when_the_server_is_ready_and_when_it_stops(make_berth, scratch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(scratch / "notify"))
        s.settimeout(20)
        berth = make_berth(env={"NOTIFY_SOCKET": scratch / "notify"})
        assert s.recv(100) == b"READY=1"
        berth.stop()
        assert s.recv(100) == b"STOPPING=1"


# -- TLS -----------------------------------------------------------------------------------------------------------------


def start_tls(make_berth, folder, port):
    """A server with a certificate: TLS on port, plain HTTP for the harness on its own."""
    berth = make_berth(start=False)
    berth.command = lambda: [
        str(BINARY), "serve", "--data", str(berth.data), "--listen", f"http://{berth.host}", "--listen", f"127.0.0.1:{port}",
        "--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")]
    return berth.start()


def tls_connect(port, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))


def certificate_of(port):
    with tls_connect(port) as s:
        return s.getpeercert(binary_form=True)


def wait_until(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_sighup_rereads_the_certificate_and_keeps_it_when_the_new_one_is_bad(make_berth, scratch):
    first = make_certificate(scratch, "one")
    port = free_port()
    berth = start_tls(make_berth, scratch, port)
    assert certificate_of(port) == first

    second = make_certificate(scratch, "two")
    assert certificate_of(port) == first
    berth.process.send_signal(1)
    wait_until(lambda: certificate_of(port) == second)

    (scratch / "cert.pem").write_text("no certificate")
    berth.process.send_signal(1)
    wait_until(lambda: [e for e in berth.log_lines() if e.get("event") == "reload" and e["level"] == "warn"])
    assert certificate_of(port) == second
    with tls_connect(port) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(make_berth, scratch):
    make_certificate(scratch, "one")
    port = free_port()
    start_tls(make_berth, scratch, port)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with tls_connect(port, version) as s:
            assert s.version() == version.name.replace("_", ".")
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            tls_connect(port, version).close()


def test_sighup_without_a_certificate_is_harmless(berth):
    berth.process.send_signal(1)
    wait_until(lambda: [e for e in berth.log_lines() if e.get("event") == "reload"])
    expect(berth.http(auth=False).get("/healthz"), 200)


# -- health, metrics, log ------------------------------------------------------------------------------------------------


def test_health_and_readiness(berth):
    http = berth.http(auth=False)
    assert http.get("/healthz").body == b"ok\n"
    assert http.get("/readyz").body == b"ready\n"
    head = expect(http.head("/readyz"), 200)
    assert head["Content-Length"] == "6" and head["Cache-Control"] == "no-store"
    assert expect(http.post("/healthz"), 405)["Allow"] == "GET, HEAD"


def test_a_server_without_space_lives_but_is_not_ready(make_berth):
    berth = make_berth("--min-free", "1000TiB")
    http = berth.http(auth=False)
    assert http.get("/healthz").status == 200
    r = http.get("/readyz")
    assert (r.status, r.body) == (503, b"not ready: the file system is full\n")
    # What is to stay free is for metadata and deletions, not for layers, however small.
    berth.create("app")
    oci = berth.oci()
    for size in (1, 1000, 100_000):
        where, data = oci.upload("app"), blob(f"layer {size}", size)
        r = oci.http.put(where + ("&" if "?" in where else "?") + f"digest={sha256(data)}", data)
        assert r.status == 507, (size, r)
    assert not berth.blob_objects()
    assert berth.client("ecr").delete_repository(repositoryName="app")


def test_metrics_count_what_happens(berth):
    berth.create("team/a", "team/b")
    oci = berth.oci()
    before = berth.metrics()
    layer = blob("layer", 50_000)
    oci.push_image("team/a", "1", [layer])
    oci.push_image("team/b", "1", [layer], mount_from="team/a")
    oci.get_blob("team/a", sha256(layer))
    expect(oci.http.get("/v2/team/a/manifests/none"), 404)
    after = berth.metrics()
    gained = lambda name, **labels: after.sum(name, **labels) - before.sum(name, **labels)
    assert after.mounts() - before.mounts() == 1
    assert gained("berth_saved_bytes_total", how="mounted") == len(layer)
    assert gained("berth_images_pushed_total") == 2
    assert gained("berth_requests_total", status="404") >= 1
    assert gained("berth_sent_bytes_total") >= len(layer)
    assert gained("berth_received_bytes_total") >= len(layer)
    assert after.sum("berth_repositories") == 2 and after.sum("berth_images") == 2
    assert after.sum("berth_registry_stored_bytes", account=berth.account, region="us-east-1") == after.sum("berth_stored_bytes")
    assert len(layer) <= after.sum("berth_logical_bytes") - after.sum("berth_stored_bytes") < len(layer) + 1000  # and the configuration
    assert 1e6 < after.sum("process_resident_memory_bytes") < 1e9
    assert abs(after.sum("process_start_time_seconds") - time.time()) < 300
    assert 5 < after.sum("process_open_fds") < 1000
    assert after.sum("berth_connections") >= 1

    # Each histogram ends with as many as were counted, and never falls.
    operations = {dict(labels)["operation"] for name, labels in after if name == "berth_request_duration_seconds_count"}
    assert {"Metrics", "Healthz", "none"} <= operations
    for op in operations:
        count = after.sum("berth_request_duration_seconds_count", operation=op)
        assert after.sum("berth_request_duration_seconds_bucket", operation=op, le="+Inf") == count
        assert after.sum("berth_requests_total", operation=op) == count
        series = sorted((float(dict(k)["le"]), v) for (n, k), v in after.items() if n == "berth_request_duration_seconds_bucket" and ("operation", op) in k)
        assert [v for _, v in series] == sorted(v for _, v in series)

    # Every family is described once, before its samples (Prometheus text format).
    families = re.findall(r"^# TYPE (\S+) (\S+)$", after.text, re.M)
    assert len(families) == len({n for n, _ in families})
    for name, _ in after:
        assert any(name == f or (t == "histogram" and re.fullmatch(rf"{f}_(bucket|sum|count)", name)) for f, t in families), name


DOCS = [Path(__file__).parents[2] / "README.md", *sorted(Path(__file__).parents[2].glob("docs/*.md"))]


def test_the_documents_name_metrics_and_settings_that_exist(make_berth, scratch):
    """Whoever copies an alarm or an option out of a page must get what it says."""
    berth = make_berth("--audit", str(scratch / "audit"), "--event-webhook", "http://127.0.0.1:1/")
    text = {p.name: p.read_text() for p in DOCS}
    there = {name for name, _ in berth.metrics()}
    named = set(re.findall(r"`(berth_[a-z_]+)[`{]", " ".join(text.values())))
    assert len(named) > 8 and named <= there, named - there
    told = [berth_run("/", "config"), *(berth_run("/", "help", c) for c in ("check", "gc", "lifecycle", "savings"))]
    settings = set(re.findall(r"^  (--[a-z0-9-]+)", "\n".join(done.stdout for done in told), re.M))
    assert len(settings) > 50
    # Everything that the operator's page says with two dashes is ours; of others only what no other program takes.
    assert set(re.findall(r"`(--[a-z0-9-]+)", text["operations.md"])) <= settings
    used = {o for words in re.findall(r"\bberth (?:serve|check|gc|savings|console|new-key|re-encrypt|lifecycle run)\b([^`\n]*)", " ".join(text.values())) for o in re.findall(r"(?<!\S)(--[a-z0-9-]+)", words)}
    assert {"--deep", "--json", "--data", "--domain"} <= used <= settings, used


def outside_address():
    """An address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return s.getsockname()[0]


def test_metrics_are_for_loopback_unless_opened(make_berth):
    address = outside_address()
    if not address or address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    for args, status in ((["--metrics-open"], 200), ([], 403)):
        port = free_port()
        make_berth("--allow-plain-http", "--listen", f"0.0.0.0:{port}", *args)
        http = Http(port, host=address)
        assert http.get("/metrics").status == status
        assert http.get("/healthz").status == 200
        http.close()
        assert Http(port).get("/metrics").status == 200


def test_the_access_log_has_a_line_for_each_request_and_no_secrets(berth):
    berth.create("team/a", "team/b")
    oci = berth.oci()
    layer = blob("layer", 5000)
    oci.push_image("team/a", "1", [layer])
    assert oci.mount("team/b", sha256(layer), "team/a")
    line = next(e for e in berth.access_log(lambda e: "mount_outcome" in e) if "mount_outcome" in e)
    assert line["mount_outcome"] == "mounted"
    assert line["level"] == "info" and line["event"] == "request" and line["method"] == "POST" and line["status"] == 201
    assert line["repository"] == "team/b" and berth.account in line["registry"] and line["principal"].endswith(":root")
    assert line["remote_ip"] == "127.0.0.1" and line["ms"] >= 0 and re.fullmatch(r"[0-9a-f]{32}", line["request_id"])
    assert line["path"] == "/v2/team/b/blobs/uploads/"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert any(e["method"] == "PUT" and e["bytes_in"] == len(layer) for e in berth.access_log())

    url = berth.client("ecr").get_download_url_for_layer(repositoryName="team/a", layerDigest=sha256(layer))["downloadUrl"]
    expect(berth.http(auth=False).get(url), 200)
    lines = len(berth.access_log(lambda e: e.get("bytes_out") == len(layer)))
    assert lines > 5
    text = berth.log_text()
    assert berth.token not in text and berth.credentials[1] not in text
    # A layer URL is good for whoever has it: its signature stays out of the log, wherever in the URL it stands.
    signatures = re.findall(r"(?<![0-9a-f:])[0-9a-f]{64}(?![0-9a-f])", url.replace("%3A", ":"))
    assert signatures and all(s not in text for s in signatures)


def test_the_access_log_names_the_error_of_every_service(berth):
    calls = {
        "RepositoryNotFoundException": lambda: berth.client("ecr").list_images(repositoryName="no/such"),
        "NotFoundException": lambda: berth.client("kms").describe_key(KeyId="no-such"),
        "NoSuchEntity": lambda: berth.client("iam").get_user(UserName="nobody"),
        "ValidationError": lambda: berth.client("sts").get_session_token(DurationSeconds=1000000),
    }
    for code, call in calls.items():
        with pytest.raises(botocore.exceptions.ClientError) as e:
            call()
        assert e.value.response["Error"]["Code"] == code
        berth.access_log(lambda line: line.get("error", "").startswith(code) and "mount_outcome" not in line)


def test_the_access_log_can_be_turned_off(make_berth):
    berth = make_berth("--access-log=off")
    berth.http(auth=False).get("/healthz")
    berth.stop()
    assert [e for e in berth.log_lines() if e["event"] == "request"] == []
    assert [e["event"] for e in berth.log_lines() if e["event"] != "sandbox"][0] == "start"


# -- check, gc, savings --------------------------------------------------------------------------------------------------


def push_two(berth):
    berth.create("team/a", "team/b")
    oci = berth.oci()
    shared, own = blob("shared", 3 << 20), blob("own", 1 << 20)
    oci.push_image("team/a", "1", [shared])
    oci.push_image("team/b", "1", [shared, own], mount_from="team/a")
    return len(shared), len(own)


def test_savings_add_up(berth):
    shared, own = push_two(berth)
    s = berth.savings()
    (registry,) = s["registries"]
    assert (registry["account"], registry["region"]) == (berth.account, "us-east-1")
    a, b = registry["repositories"]
    assert [a["name"], b["name"]] == ["team/a", "team/b"]
    assert a["images"] == b["images"] == 1
    assert b["logical_bytes"] - shared - own < 1000 and a["logical_bytes"] - shared < 1000
    for column in ("logical_bytes", "stored_bytes", "saved_bytes"):
        assert a[column] + b[column] == registry["total"][column] == s["total"][column]
    assert s["total"]["saved_bytes"] >= shared
    assert s["total"]["logical_bytes"] == s["total"]["stored_bytes"] + s["total"]["saved_bytes"]
    assert s["total"]["stored_bytes"] <= berth.blob_bytes()

    text = berth.berth("savings").stdout.splitlines()
    assert text[0] == f"Registry {berth.account}, us-east-1"
    assert text[1].split() == ["REPOSITORY", "IMAGES", "LOGICAL", "STORED", "SAVED"]
    assert text[2].split()[:2] == ["team/a", "1"] and text[3].split()[:2] == ["team/b", "1"]
    assert text[4].startswith("  in all") and "3.0 MiB" in text[4] and text[4].endswith(" %")
    ends = [[m.end() for m in re.finditer(r"\S+", line.replace(" B", "_B").replace(" K", "_K").replace(" M", "_M"))][1:5] for line in text[1:4]]
    assert ends[0] == ends[1] == ends[2], "the columns are not aligned"


def test_savings_of_an_empty_server(berth):
    assert berth.savings() == {"registries": [], "total": dict.fromkeys(
        ("repositories", "images", "blobs", "links", "logical_bytes", "stored_bytes", "saved_bytes", "waiting_bytes"), 0)}
    assert berth.berth("savings").stdout == "There are no repositories.\n"


def test_check_finds_damage_and_says_so_by_its_exit_status(berth):
    push_two(berth)
    good = berth.berth("check")
    assert "nothing is wrong.\n" in good.stdout
    path = max(berth.data.joinpath("blobs").rglob("*"), key=lambda p: p.stat().st_size if p.is_file() else 0)
    content = path.read_bytes()
    path.write_bytes(b"x" + content[1:])
    assert berth.berth("check").returncode == 0, "only --deep reads the bytes"
    deep = berth.berth("check", "--deep", check=False)
    assert deep.returncode == 1
    assert re.search(r"^damage: .*sha256:[0-9a-f]{64}", deep.stdout, re.M) and "1 finding.\n" in deep.stdout
    report = json.loads(berth.berth("check", "--deep", "--json", check=False).stdout)
    assert [f["kind"] for f in report["findings"]] == ["damage"] and report["blobs"] == 3
    path.unlink()
    lost = berth.berth("check", check=False)
    assert lost.returncode == 1 and "damage: " in lost.stdout
    path.write_bytes(content)
    assert berth.berth("check", "--deep").returncode == 0


def test_gc_collects_beside_the_running_server(make_berth):
    berth = make_berth("--collect-grace", "500ms")
    shared, own = push_two(berth)
    before = berth.blob_bytes()
    digest = berth.client("ecr").describe_images(repositoryName="team/b")["imageDetails"][0]["imageDigest"]
    berth.oci().delete_manifest("team/b", digest)
    assert berth.blob_bytes() > before - own
    time.sleep(0.6)
    done = json.loads(berth.gc("--collect-grace", "500ms", "--json").stdout)
    # The server collects by itself now and then; whoever came first, it is gone.
    assert set(done) == {"blobs", "bytes", "links", "uploads", "images", "repositories"}
    wait_until(lambda: berth.blob_bytes() <= before - own)
    assert berth.gc("--collect-grace", "500ms").stdout.startswith("Collected 0 layers (0 B)")
    assert berth.oci().get_blob("team/a", sha256(blob("shared", 3 << 20)))


def test_gc_and_check_run_on_a_stopped_server_too(make_berth):
    berth = make_berth("--collect-grace", "0")
    shared, own = push_two(berth)
    berth.client("ecr").delete_repository(repositoryName="team/b", force=True)
    berth.stop()
    before = berth.blob_bytes()
    done = json.loads(berth.gc("--collect-grace", "0", "--json").stdout)
    assert done["repositories"] == 1 and done["blobs"] == 1 and done["bytes"] == own
    assert berth.blob_bytes() <= before - own
    assert berth.berth("check", "--deep").returncode == 0
    berth.start()
