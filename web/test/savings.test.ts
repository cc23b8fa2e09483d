import assert from "node:assert/strict";
import test from "node:test";
import { at, everyDay, isConsistent, ofLayer, steps, sum, ticks } from "../src/pure/savings";
import { random } from "./random";

test("logical minus saved is stored, for any layers that any repositories of any pools hold", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const next = random(seed);
    const pools = Array.from({ length: 1 + next(4) }, () => Array.from({ length: next(30) }, () => ({ size: next(1e9), holders: next(20) })));
    const perPool = pools.map((layers) => sum(layers.map((l) => ofLayer(l.size, l.holders))));
    for (const [i, layers] of pools.entries()) {
      const s = perPool[i]!;
      assert.ok(isConsistent(s), `seed ${seed}`);
      assert.equal(s.logicalBytes, layers.reduce((n, l) => n + l.size * l.holders, 0));
      assert.equal(s.storedBytes, layers.filter((l) => l.holders > 0).reduce((n, l) => n + l.size, 0));
    }
    assert.ok(isConsistent(sum(perPool)));
  }
});

test("sums that do not add up are noticed", () => {
  assert.ok(!isConsistent({ logicalBytes: 10, storedBytes: 5, savedBytes: 4 }));
  assert.ok(!isConsistent({ logicalBytes: 1, storedBytes: 2, savedBytes: -1 }));
});

const point = (time: number, stored: number) => ({ at: time, logicalBytes: 2 * stored, storedBytes: stored, savedBytes: stored });

test("a step function is drawn with steps", () => {
  assert.deepEqual(
    steps([point(1, 10), point(5, 20)]).map((p) => [p.at, p.storedBytes]),
    [[1, 10], [5, 10], [5, 20]],
  );
});

test("a point holds until the next one", () => {
  const points = [point(1, 10), point(5, 20), point(9, 30)];
  for (const [time, stored] of [[0, undefined], [1, 10], [4.9, 10], [5, 20], [8, 20], [9, 30], [100, 30]] as const) {
    assert.equal(at(points, time)?.storedBytes, stored, `at ${time}`);
  }
});

test("an axis has three to seven round numbers and reaches the largest value", () => {
  for (const max of [1, 7, 99, 100, 101, 12345, 1e9, 7.7e12]) {
    const got = ticks(max);
    assert.equal(got[0], 0);
    assert.ok(got[got.length - 1]! >= max, `${max}: ${got}`);
    assert.ok(got.length >= 3 && got.length <= 7, `${max}: ${got}`);
  }
  assert.deepEqual(ticks(0), [0]);
});

test("days without mounts are days too", () => {
  const day = { date: "2026-11-22", mounts: 1, mountedBytes: 0, avoidableBytes: 5 };
  const from = Date.UTC(2026, 10, 20, 13) / 1000;
  const to = Date.UTC(2026, 10, 23, 1) / 1000;
  assert.deepEqual(
    everyDay([day], from, to).map((d) => [d.date, d.avoidableBytes]),
    [["2026-11-20", 0], ["2026-11-21", 0], ["2026-11-22", 5], ["2026-11-23", 0]],
  );
  assert.equal(everyDay([], 0, to).length, 400);
});
