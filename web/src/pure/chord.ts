// The geometry of the picture that shows which repositories share with which: a circle with one arc a repository, and a
// ribbon between each two that share, as wide as what they share.

export interface Node {
  id: string;
  weight: number;
}

export interface Edge {
  a: string;
  b: string;
  weight: number;
}

export interface Arc {
  id: string;
  start: number;
  end: number;
}

export interface Ribbon {
  a: string;
  b: string;
  weight: number;
  from: [number, number];
  to: [number, number];
}

const TURN = 2 * Math.PI;

/**
 * Angles run clockwise from the top. An arc is as long as the sum of its ribbons, but never too short to see.
 */
export function layout(nodes: readonly Node[], edges: readonly Edge[], gap = 0.03): { arcs: Arc[]; ribbons: Ribbon[] } {
  const ordered = order(nodes, edges);
  const degree = new Map<string, number>(nodes.map((n) => [n.id, 0]));
  for (const e of edges) {
    degree.set(e.a, (degree.get(e.a) ?? 0) + e.weight);
    degree.set(e.b, (degree.get(e.b) ?? 0) + e.weight);
  }
  const total = [...degree.values()].reduce((x, y) => x + y, 0);
  const room = Math.max(TURN / 4, TURN - ordered.length * gap);
  const space = (TURN - room) / Math.max(1, ordered.length);
  const least = room / Math.max(1, ordered.length) / 3;
  const share = (id: string) => (total > 0 ? (degree.get(id) ?? 0) / total : 1 / ordered.length);
  const lengths = ordered.map((n) => Math.max(least, share(n.id) * room));
  const scale = room / lengths.reduce((x, y) => x + y, 0);

  const arcs: Arc[] = [];
  let angle = 0;
  ordered.forEach((n, i) => {
    const end = angle + lengths[i]! * scale;
    arcs.push({ id: n.id, start: angle, end });
    angle = end + space;
  });
  return { arcs, ribbons: ribbons(arcs, edges, degree) };
}

/** Those that share most with each other next to each other: a greedy chain, so that wide ribbons are short. */
function order(nodes: readonly Node[], edges: readonly Edge[]): Node[] {
  const left = new Map(nodes.map((n) => [n.id, n]));
  const out: Node[] = [];
  const between = new Map<string, number>();
  for (const e of edges) {
    between.set(`${e.a}\n${e.b}`, e.weight);
    between.set(`${e.b}\n${e.a}`, e.weight);
  }
  let last: Node | undefined;
  while (left.size) {
    let best: Node | undefined;
    let most = -1;
    for (const n of left.values()) {
      const w = last ? (between.get(`${last.id}\n${n.id}`) ?? 0) : n.weight;
      if (w > most) {
        most = w;
        best = n;
      }
    }
    last = best!;
    left.delete(last.id);
    out.push(last);
  }
  return out;
}

/** Each end of a ribbon gets its part of the arc; ends are sorted by where the other end is, so that ribbons cross little. */
function ribbons(arcs: readonly Arc[], edges: readonly Edge[], degree: Map<string, number>): Ribbon[] {
  const arcOf = new Map(arcs.map((a) => [a.id, a]));
  const known = edges.filter((e) => arcOf.has(e.a) && arcOf.has(e.b) && e.a !== e.b);
  const ends = new Map<string, [number, number]>();
  for (const arc of arcs) {
    const mid = (arc.start + arc.end) / 2;
    const mine = known
      .filter((e) => e.a === arc.id || e.b === arc.id)
      .map((e) => {
        const other = arcOf.get(e.a === arc.id ? e.b : e.a)!;
        return { e, away: (((other.start + other.end) / 2 - mid) % TURN + TURN) % TURN };
      })
      .sort((x, y) => y.away - x.away);
    let angle = arc.start;
    const length = arc.end - arc.start;
    const sum = degree.get(arc.id) || 1;
    for (const { e } of mine) {
      const end = angle + (e.weight / sum) * length;
      ends.set(`${arc.id}\n${e.a}\n${e.b}`, [angle, end]);
      angle = end;
    }
  }
  return known.map((e) => ({
    a: e.a,
    b: e.b,
    weight: e.weight,
    from: ends.get(`${e.a}\n${e.a}\n${e.b}`)!,
    to: ends.get(`${e.b}\n${e.a}\n${e.b}`)!,
  }));
}

export function point(angle: number, radius: number): [number, number] {
  return [round(radius * Math.sin(angle)), round(-radius * Math.cos(angle))];
}

const round = (n: number) => Math.round(n * 100) / 100;

export function arcPath(arc: { start: number; end: number }, inner: number, outer: number): string {
  const large = arc.end - arc.start > Math.PI ? 1 : 0;
  const [a, b, c, d] = [point(arc.start, outer), point(arc.end, outer), point(arc.end, inner), point(arc.start, inner)];
  return `M${a}A${outer},${outer} 0 ${large} 1 ${b}L${c}A${inner},${inner} 0 ${large} 0 ${d}Z`;
}

export function ribbonPath(r: Ribbon, radius: number): string {
  const [a, b, c, d] = [point(r.from[0], radius), point(r.from[1], radius), point(r.to[0], radius), point(r.to[1], radius)];
  const side = (from: [number, number]) => (from[1] - from[0] > Math.PI ? 1 : 0);
  return `M${a}A${radius},${radius} 0 ${side(r.from)} 1 ${b}Q0,0 ${c}A${radius},${radius} 0 ${side(r.to)} 1 ${d}Q0,0 ${a}Z`;
}
