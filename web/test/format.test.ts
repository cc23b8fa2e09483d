import assert from "node:assert/strict";
import test from "node:test";
import { ago, bytes, duration, latency, percent, plural, shortDigest, shortTime, time } from "../src/pure/format";

test("sizes have three digits and decimal units", () => {
  const table: [number, string][] = [
    [0, "0 B"], [1, "1 B"], [999, "999 B"], [1000, "1.00 KB"], [1234567, "1.23 MB"], [9_994_999, "9.99 MB"], [9_995_000, "10.0 MB"],
    [99_949_999, "99.9 MB"], [99_950_000, "100 MB"], [999_499_999, "999 MB"], [999_500_000, "1.00 GB"], [5e12, "5.00 TB"], [1.5e18, "1.50 EB"], [-2000, "-2.00 KB"], [NaN, "-"],
  ];
  for (const [n, text] of table) assert.equal(bytes(n), text);
});

test("a part never becomes nothing, nor all, by rounding", () => {
  const table: [number, number, string][] = [
    [0, 0, "0%"], [0, 10, "0%"], [10, 10, "100%"], [1, 3, "33%"], [1, 1e6, "<0.1%"], [999_999, 1e6, ">99.9%"], [5, 100, "5%"], [5.55, 100, "5.5%"], [0.5, 100, "0.5%"],
  ];
  for (const [part, whole, text] of table) assert.equal(percent(part, whole), text);
});

test("times are written as in AWS's consoles", () => {
  const t = Date.UTC(2026, 10, 24, 3, 4, 5) / 1000;
  assert.equal(time(t, 0), "2026-11-24 03:04:05 (UTC+00:00)");
  assert.equal(time(t, 330), "2026-11-24 08:34:05 (UTC+05:30)");
  assert.equal(time(t, -480), "2026-11-23 19:04:05 (UTC-08:00)");
  assert.equal(time(undefined), "-");
  assert.match(shortTime(t), /^2026-11-2[345] \d\d:\d\d:05$/);
});

test("lengths of time and counts are in words", () => {
  assert.equal(duration(1), "1 second");
  assert.equal(duration(3600), "1 hour");
  assert.equal(duration(86400 * 2.5), "2 days");
  assert.equal(ago(1000, 1001), "just now");
  assert.equal(ago(1000, 1180), "3 minutes ago");
  assert.equal(plural(1, "image"), "1 image");
  assert.equal(plural(1200, "repository", "repositories"), "1,200 repositories");
  assert.equal(latency(0.00085), "850 µs");
  assert.equal(latency(0.002), "2 ms");
  assert.equal(latency(1.234), "1.23 s");
  assert.equal(latency(undefined), "-");
});

test("digests are shortened, other text is not", () => {
  assert.equal(shortDigest(`sha256:${"a".repeat(64)}`), "sha256:aaaaaaaaaaaa…");
  assert.equal(shortDigest("latest"), "latest");
});
