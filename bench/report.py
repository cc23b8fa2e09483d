"""Renders the results of bench.py: which target of the project each number answers, and whether it is met."""

METHOD = """
## Method

`make bench` starts all servers on this machine's loopback, fills them through the same client code, and runs the cases in rounds that
take turns between the servers, so that whatever else the machine does hits all alike. A figure is the median of {rounds} rounds; the
spread stands behind it. Clients run on the same cores as the servers.

- **manifest**: `GET /v2/bench/app/manifests/v1` by tag, {manifest_bytes} bytes, `wrk -t1 -c32`, {seconds} s a round. nginx serves a static file of the same bytes.
- **mount**: `POST .../blobs/uploads/?mount=...&from=...`, never the same (repository, digest) twice, only 201 counts. Berth's answers are durable
  (fsync); docker-registry writes a link file and does not sync it.
- **tag**: `PUT` of one manifest under a new tag each time, 8 connections. The same about durability.
- **push**: one blob of {big_mib} MiB from a file by curl: POST, one PATCH, closing PUT; file system synced before. The last two rows are what the machine
  needs only to hash the file and only to write it.
- **get**: the same blob by curl to /dev/null, from the page cache. Without encryption that is sendfile, which never touches the bytes.
- **pull**: the same by a client that compares the digest as it reads, as every registry client does.
- Berth encrypts with AES-256-GCM, as it does by default; "berth, encryption disk" stores what it gets as it is.
- **idle**: resident memory of a fresh server after a hundred requests and three quiet seconds.
- **pushes**: the largest resident memory (VmHWM) while {uploads} blobs of {upload_mib} MiB are pushed at the same time (bench/load.c).
- **start**: from exec to the first answer, on the data that the other cases left.

Berth checks a token on every request (`Authorization: Basic`); docker-registry and nginx run without authentication. Access logs are off everywhere.
The numbers in full: `build/bench/results.json`.
"""

# case, unit, what it is, [(target text, function of medians -> bool)]
PLAIN = "berth, encryption disk"

ROWS = [
    ("manifest", "requests/s", "manifest GET by tag", [
        ("at least 20 x docker-registry", lambda m: m["berth"] >= 20 * m["docker-registry"]),
        ("at least 0.6 x nginx", lambda m: m["berth"] >= 0.6 * m["nginx"])]),
    ("mount8", "mounts/s", "new mounts, 8 connections", [("at least 10 x docker-registry", lambda m: m["berth"] >= 10 * m["docker-registry"])]),
    ("mount32", "mounts/s", "new mounts, 32 connections", [("at least 10 x docker-registry", lambda m: m["berth"] >= 10 * m["docker-registry"])]),
    ("tag", "tags/s", "tag PUT, 8 connections", [("at least 20 x docker-registry", lambda m: m["berth"] >= 20 * m["docker-registry"])]),
    ("push", "s", "push of one large blob", [
        ("at most 0.5 x docker-registry", lambda m: m["berth"] <= 0.5 * m["docker-registry"]),
        ("at least 0.8 of the speed without encryption", lambda m: m[PLAIN] >= 0.8 * m["berth"])]),
    ("get", "MiB/s", "GET of one large blob, bytes thrown away", [
        ("without encryption at least nginx's rate (less 3 % noise)", lambda m: m[PLAIN] >= 0.97 * m["nginx"])]),
    ("pull", "MiB/s", "GET of one large blob, digest checked", [
        ("at least 0.8 of the rate without encryption", lambda m: m["berth"] >= 0.8 * m[PLAIN])]),
    ("idle", "MiB", "idle memory", [("under 16 MiB", lambda m: m["berth"] < 16)]),
    ("pushes", "MiB", "memory under concurrent pushes", [("under 64 MiB", lambda m: m["berth"] < 64)]),
    ("start", "ms", "start to first answer", [("under 100 ms", lambda m: m["berth"] < 100)]),
]


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def table(results):
    lines = ["| case | server | median | spread | target | met |", "|---|---|---|---|---|---|"]
    for case, unit, text, targets in ROWS:
        entries = results["cases"].get(case)
        if not entries:
            continue
        medians = {name: e["median"] for name, e in entries.items()}
        for name, e in entries.items():
            goal = met = ""
            if name == "berth":
                goal = "; ".join(t for t, _ in targets)
                met = "; ".join("yes" if ok(medians) else "**no**" for _, ok in targets)
            spread = f"{number(min(e['rounds']))} - {number(max(e['rounds']))}" if len(e["rounds"]) > 1 else ""
            lines.append(f"| {text} | {name} | {number(e['median'])} {unit} | {spread} | {goal} | {met} |")
            text = ""
    return "\n".join(lines)


def write_page(results, path):
    m, p = results["machine"], results["parameters"]
    text = "# Performance\n\n"
    text += f"Measured by `make bench` on {results['when']}: {m['cores']} cores of {m['cpu']}, Linux {m['kernel']}, load average before the run {m['load_before']:.2f}.\n"
    text += f"Servers: {m['berth']}; {m['docker-registry']}; {m['nginx']}.\n\n"
    text += table(results) + "\n" + METHOD.format(**p)
    print("\n" + table(results))
    if path:
        path.write_text(text)
        print(f"\nwritten: {path}")
