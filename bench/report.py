"""Renders the results of bench.py: which target of the project each number answers, and whether it is met."""

from plot import write_plot

METHOD = """
## Method

`make bench` starts all servers on this machine's loopback, fills them through the same client code, and runs the cases in rounds that
take turns between the servers, so that whatever else the machine does hits all alike. A figure is the median of the rounds ({rounds} for most
cases); the spread stands behind it. Clients run on the same cores as the servers. "CPU" is the server's processor time for one request, or
for the whole transfer of a large blob; unlike a rate it hardly depends on what the client costs.

- **manifest GET**: {manifest_bytes} bytes, `wrk -t1 -c32`, {seconds} s a round. nginx serves a static file of the same bytes.
- **over TLS**: the same by TLS 1.3, an ECDSA key, connections that stay.
- **blob HEAD**: bench/load.c, 32 connections, a layer of 2 KB.
- **GET, range of small blobs**: the same way; the range is 64 KiB out of 1 MiB, at an offset that is no border of anything.
- **tags/list**: a page of 1,000 out of 2,000 tags, 8 connections.
- **new mounts**: `POST .../blobs/uploads/?mount=...&from=...`, never the same (repository, digest) twice, only 201 counts. Berth's answers are
  durable (fsync); the others write a link file and do not sync it. **repeated mounts** ask for what the target has already.
- **tag PUT**: one manifest under a new tag each time, 8 connections. The same about durability.
- **delete with 2,000 tags**: one DELETE by digest.
- **small pushes**: bench/load.c, each blob of its own bytes, POST and one PUT; TCP_NODELAY is set, as clients in Go have it.
- **push**: one blob of {big_mib} MiB from a file by curl: POST, one PATCH, closing PUT; file system synced before. The rows "only ..." are what the
  machine needs only to hash the file and only to write it, through the page cache and directly. **streamed**: the same with
  `Transfer-Encoding: chunked`; **in pieces**: PATCHes of 16 MiB, each durable when it is answered.
- **GET of a large blob**: the same blob by curl to /dev/null, from the page cache. Without encryption that is sendfile, which never touches the bytes.
- **digest checked**: the same by a client that compares the digest as it reads, as every registry client does.
- **skopeo**: an image of 64 MiB in 8 layers; then one that shares 7 of them, to another repository, which skopeo mounts.
- Berth encrypts with AES-256-GCM, as it does by default; "berth, encryption disk" stores what it gets as it is.
- **idle**: resident memory of a fresh server after a hundred requests and three quiet seconds; then with 1,000 connections that have asked once and stay.
- **pushes at once**: the largest resident memory (VmHWM) while {uploads} blobs of {upload_mib} MiB are pushed at the same time (bench/load.c).
- **collection**: `berth gc` beside a server whose only repository with {collected:,} blobs of 1 KiB was deleted, over their number.
- **start**: from exec to the first answer, on the data that the other cases left.

Berth checks a token on every request (`Authorization: Basic`); the others run without authentication. Access logs are off everywhere.
The numbers in full: `build/bench/results.json`. Where the time goes, and what was not reached: [profile.md](profile.md).
"""

PLAIN = "berth, encryption disk"
WRITING = ("only hashing", "only writing, fsync", "only writing directly, fsync")


def times(other, factor):
    """At least so many times the rate of another server."""
    return f"at least {factor:g} x {other}", lambda m: m["berth"] >= factor * m[other], [other]


def within(other, factor):
    """In at most so much of the time of another server."""
    return f"at most {factor:g} x {other}", lambda m: m["berth"] <= factor * m[other], [other]


def at_least(number):
    return f"at least {number:,}", lambda m: m["berth"] >= number, []


def under(number, unit):
    return f"under {number} {unit}", lambda m: m["berth"] < number, []


# case, unit, what it is, is a larger number better, [(target, function of medians -> bool, the servers that it needs)]
ROWS = [
    ("manifest", "requests/s", "manifest GET by tag", True, [times("docker-registry", 20), times("distribution", 5), times("nginx", 0.6), times("nginx", 0.85)]),
    ("tls", "requests/s", "manifest GET by tag, over TLS", True, []),
    ("digest", "requests/s", "manifest GET by digest", True, []),
    ("head", "requests/s", "blob HEAD", True, []),
    ("get1k", "requests/s", "blob GET, 1 KiB", True, []),
    ("get1m", "requests/s", "blob GET, 1 MiB", True, []),
    ("range", "requests/s", "blob GET, a range of 64 KiB", True, []),
    ("tags", "pages/s", "tags/list, a page of 1,000", True, [times("distribution", 20)]),
    ("mount1", "mounts/s", "new mounts, 1 connection", True, []),
    ("mount8", "mounts/s", "new mounts, 8 connections", True, [times("docker-registry", 10), at_least(10000), times("distribution", 15)]),
    ("mount32", "mounts/s", "new mounts, 32 connections", True, [times("docker-registry", 10)]),
    ("mount64", "mounts/s", "new mounts, 64 connections", True, []),
    ("remount", "mounts/s", "repeated mounts, 8 connections", True, []),
    ("tag", "tags/s", "tag PUT, 8 connections", True, [times("docker-registry", 20), times("distribution", 40)]),
    ("untag", "ms", "delete a manifest with 2,000 tags", False, [under(10, "ms")]),
    ("push1k", "blobs/s", "push of 1 KiB, 64 connections", True, [times("distribution", 5)]),
    ("push64k", "blobs/s", "push of 64 KiB, 8 connections", True, []),
    ("push1m", "blobs/s", "push of 1 MiB, 8 connections", True, []),
    ("push", "s", "push of one large blob", False, [
        within("docker-registry", 0.5),
        ("at least 1.7 x the speed of distribution", lambda m: m["distribution"] >= 1.7 * m["berth"], ["distribution"]),
        ("at most 1.4 x the slower of hashing and a durable copy", lambda m: m["berth"] <= 1.4 * max(m[WRITING[0]], m[WRITING[1]]), WRITING),
        ("at least 0.8 of the speed without encryption", lambda m: m[PLAIN] >= 0.8 * m["berth"], [PLAIN])]),
    ("streamed", "s", "the same, streamed", False, []),
    ("chunked", "s", "the same, in pieces of 16 MiB", False, []),
    ("get", "MiB/s", "GET of one large blob, bytes thrown away", True, [
        ("without encryption at least nginx's rate (less 3 % noise)", lambda m: m[PLAIN] >= 0.97 * m["nginx"], [PLAIN, "nginx"]), times("nginx", 0.8)]),
    ("pull", "MiB/s", "GET of one large blob, digest checked", True, [
        ("at least 0.8 of the rate without encryption", lambda m: m["berth"] >= 0.8 * m[PLAIN], [PLAIN])]),
    ("image", "s", "skopeo: an image of 64 MiB", False, []),
    ("sharing", "s", "skopeo: one that shares 7 of 8 layers", False, []),
    ("idle", "MiB", "idle memory", False, [under(16, "MiB"), under(12, "MiB")]),
    ("idle1000", "MiB", "memory with 1,000 idle connections", False, [under(32, "MiB")]),
    ("pushes", "MiB", "memory under concurrent pushes", False, [under(64, "MiB")]),
    ("collect", "us", "collection, for each of many blobs", False, []),
    ("start", "ms", "start to first answer", False, [under(100, "ms")]),
]


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def medians_of(results):
    return {case: {name: e["median"] for name, e in entries.items()} for case, entries in results["cases"].items()}


def judged(targets, medians):
    known = [(text, ok) for text, ok, needs in targets if all(n in medians for n in needs)]
    return "; ".join(t for t, _ in known), "; ".join("yes" if ok(medians) else "**no**" for _, ok in known)


def middle(values):
    return sorted(values)[len(values) // 2]


def table(results):
    medians = medians_of(results)
    lines = ["| case | server | median | spread | berth is | CPU | target | met |", "|---|---|---|---|---|---|---|---|"]
    for case, unit, text, larger, targets in ROWS:
        for name, e in results["cases"].get(case, {}).items():
            goal, met = judged(targets, medians[case]) if name == "berth" else ("", "")
            spread = f"{number(min(e['rounds']))} - {number(max(e['rounds']))}" if len(e["rounds"]) > 1 else ""
            ratio = "" if name == "berth" else f"{ratio_of(medians[case], name, larger):.2g} x"
            cpu = f"{number(middle(e['cpu_us']))} us" if e.get("cpu_us") else ""
            lines.append(f"| {text} | {name} | {number(e['median'])} {unit} | {spread} | {ratio} | {cpu} | {goal} | {met} |")
            text = ""
    return "\n".join(lines)


def ratio_of(medians, other, larger):
    """How many times as good as another server Berth is."""
    berth = medians["berth"]
    return berth / medians[other] if larger else medians[other] / berth


def write_page(results, path):
    m, p = results["machine"], results["parameters"]
    text = "# Performance\n\n"
    text += f"Measured by `make bench` on {results['when']}: {m['cores']} cores of {m['cpu']}, Linux {m['kernel']}, load average before the run {m['load_before']:.2f}.\n"
    text += f"Servers: {m['berth']}; {m['docker-registry']}; {m['distribution']}; {m['nginx']}.\n\n"
    text += "![How many times as good as its peers Berth is](performance.svg)\n\n"
    text += table(results) + "\n" + METHOD.format(**p)
    print("\n" + table(results))
    if path:
        path.write_text(text)
        medians = medians_of(results)
        ratios = [(what, {other: ratio_of(medians[case], other, larger) for other in ("docker-registry", "distribution", "nginx") if other in medians[case]})
                  for case, _, what, larger, _ in ROWS if "berth" in medians.get(case, {})]
        write_plot(path.with_suffix(".svg"), [r for r in ratios if r[1]])
        print(f"\nwritten: {path}")
