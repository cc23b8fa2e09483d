import assert from "node:assert/strict";
import test from "node:test";
import { arcPath, layout, ribbonPath } from "../src/pure/chord";
import { random } from "./random";

const TURN = 2 * Math.PI;

test("arcs go once around, in order, without touching; ribbons end on their arcs", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const next = random(seed);
    const nodes = Array.from({ length: 1 + next(48) }, (_, i) => ({ id: `r${i}`, weight: next(1000) }));
    const edges = [];
    for (let i = 0; i < nodes.length; i++) {
      for (let j = i + 1; j < nodes.length; j++) if (next(3) === 0) edges.push({ a: `r${i}`, b: `r${j}`, weight: 1 + next(1e9) });
    }
    const { arcs, ribbons } = layout(nodes, edges);
    assert.deepEqual(arcs.map((a) => a.id).sort(), nodes.map((n) => n.id).sort());
    let end = 0;
    for (const a of arcs) {
      assert.ok(a.start >= end - 1e-9 && a.end > a.start, `seed ${seed}`);
      end = a.end;
    }
    assert.ok(end <= TURN + 1e-9);
    assert.equal(ribbons.length, edges.length);
    const arcOf = new Map(arcs.map((a) => [a.id, a]));
    for (const r of ribbons) {
      for (const [id, [from, to]] of [[r.a, r.from], [r.b, r.to]] as const) {
        const a = arcOf.get(id)!;
        assert.ok(from >= a.start - 1e-9 && to <= a.end + 1e-9 && to >= from, `seed ${seed}`);
      }
      assert.ok(!/NaN|undefined/.test(ribbonPath(r, 100)));
    }
    for (const a of arcs) assert.ok(!/NaN|undefined/.test(arcPath(a, 90, 100)));
  }
});

test("nothing to draw is no failure", () => {
  assert.deepEqual(layout([], []), { arcs: [], ribbons: [] });
  assert.equal(layout([{ id: "a", weight: 0 }], []).arcs.length, 1);
});
