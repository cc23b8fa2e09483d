// The arithmetic of sharing. One law: in each pool, and in the registry, logical - saved = stored.

export interface Sums {
  logicalBytes: number;
  storedBytes: number;
  savedBytes: number;
}

export function sum(parts: readonly Sums[]): Sums {
  const total = { logicalBytes: 0, storedBytes: 0, savedBytes: 0 };
  for (const p of parts) {
    total.logicalBytes += p.logicalBytes;
    total.storedBytes += p.storedBytes;
    total.savedBytes += p.savedBytes;
  }
  return total;
}

export function isConsistent(s: Sums): boolean {
  return s.logicalBytes - s.savedBytes === s.storedBytes && s.storedBytes >= 0 && s.savedBytes >= 0;
}

/** Of one layer, size bytes, that so many repositories of one pool hold. */
export function ofLayer(size: number, holders: number): Sums {
  if (holders === 0) return { logicalBytes: 0, storedBytes: 0, savedBytes: 0 };
  return { logicalBytes: size * holders, storedBytes: size, savedBytes: size * (holders - 1) };
}

export interface Point extends Sums {
  at: number;
}

/**
 * History as a step function: a point holds until the next one. For drawing, each step becomes two points, so that lines
 * between points do not lie.
 */
export function steps(points: readonly Point[]): Point[] {
  const out: Point[] = [];
  points.forEach((p, i) => {
    const before = points[i - 1];
    if (before && before.at < p.at) out.push({ ...before, at: p.at });
    out.push(p);
  });
  return out;
}

/** The point that holds at a time, if one does. Points in order of time. */
export function at<T extends { at: number }>(points: readonly T[], time: number): T | undefined {
  let lo = 0;
  let hi = points.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (points[mid]!.at <= time) lo = mid + 1;
    else hi = mid;
  }
  return points[lo - 1];
}

/** Round numbers for an axis from 0 to at least max: 3 to 6 of them. */
export function ticks(max: number): number[] {
  if (max <= 0) return [0];
  const rough = max / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => max / s <= 5) ?? 10 * power;
  const out: number[] = [];
  for (let v = 0; v < max + step; v += step) out.push(v);
  return out;
}

interface Day {
  date: string;
  mounts: number;
  mountedBytes: number;
  avoidableBytes: number;
}

/** The server tells days on which something happened; a chart shows the others as well. At most the last 400. */
export function everyDay(days: readonly Day[], from: number, to: number): Day[] {
  const known = new Map(days.map((d) => [d.date, d]));
  const out: Day[] = [];
  const last = Math.floor(to / 86_400);
  for (let day = Math.max(Math.floor(from / 86_400), last - 399); day <= last; day++) {
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
    out.push(known.get(date) ?? { date, mounts: 0, mountedBytes: 0, avoidableBytes: 0 });
  }
  return out;
}
