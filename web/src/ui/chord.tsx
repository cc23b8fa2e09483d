// The picture of who shares with whom in one pool. Pointing at a repository or moving the focus to it lights up its ribbons and says
// what they are.

import { useId, useState } from "react";
import type { RepositorySums, SharingPair } from "../api/sharing";
import { arcPath, layout, point, ribbonPath } from "../pure/chord";
import { bytes, plural } from "../pure/format";

const RIM = 16;
const LABELS = 150;
const COLORS = 8;

const short = (name: string) => (name.length > 24 ? `…${name.slice(-23)}` : name);

interface Props {
  repositories: readonly RepositorySums[];
  pairs: readonly SharingPair[];
  /** For half the width: a smaller circle, so that the names stay as large as other text. */
  isSmall?: boolean;
}

export function Chord({ repositories, pairs, isSmall = false }: Props) {
  const radius = isSmall ? 90 : 230;
  const inner = radius - RIM;
  const [lit, setLit] = useState<string>();
  const id = useId();
  const { arcs, ribbons } = layout(
    repositories.map((r) => ({ id: r.repositoryName, weight: r.savedBytes })),
    pairs.map((p) => ({ a: p.repositoryNames[0], b: p.repositoryNames[1], weight: p.sharedBytes })),
  );
  const colors = new Map(arcs.map((a, i) => [a.id, i % COLORS]));
  const color = (name: string) => `g${colors.get(name) ?? 0}`;
  // A ribbon has the color of the repository that shares more in all: bases stand out by it.
  const degree = new Map<string, number>();
  for (const p of pairs) for (const n of p.repositoryNames) degree.set(n, (degree.get(n) ?? 0) + p.sharedBytes);
  const owner = (r: { a: string; b: string }) => ((degree.get(r.a) ?? 0) >= (degree.get(r.b) ?? 0) ? r.a : r.b);
  const touches = (p: { a: string; b: string }) => lit !== undefined && (p.a === lit || p.b === lit);
  const partners = new Set(ribbons.filter(touches).flatMap((r) => [r.a, r.b]));
  const says = (name: string) => {
    const mine = pairs.filter((p) => p.repositoryNames.includes(name)).sort((x, y) => y.sharedBytes - x.sharedBytes);
    const list = mine.slice(0, 5).map((p) => `${bytes(p.sharedBytes)} with ${p.repositoryNames.find((n) => n !== name)}`);
    return `${name} shares ${list.join(", ")}${mine.length > 5 ? `, and with ${mine.length - 5} more` : ""}.`;
  };
  const size = radius + LABELS;
  const spare = isSmall ? 30 : 60; // above and below, names are seldom as long
  // At most a few hundred ribbons are drawn: the widest, the others would be hairlines.
  const drawn = [...ribbons].sort((a, b) => b.weight - a.weight).slice(0, 400);

  return (
    <>
      <svg
        className="chord"
        viewBox={`${-size} ${-size + spare} ${2 * size} ${2 * (size - spare)}`}
        role="group"
        aria-label={`Which repositories share with which: ${plural(repositories.length, "repository", "repositories")} on a circle, ribbons between those that share`}
        onPointerLeave={() => setLit(undefined)}
      >
        <g aria-hidden="true">
          {drawn.map((r) => (
            <path
              key={`${r.a}\n${r.b}`}
              className={`ribbon ${color(owner(r))} ${lit === undefined ? "" : touches(r) ? "lit" : "dim"}`}
              d={ribbonPath(r, inner - 2)}
              onPointerEnter={() => setLit(r.a)}
            >
              <title>{`${r.a} and ${r.b} share ${bytes(r.weight)}`}</title>
            </path>
          ))}
        </g>
        {arcs.map((a) => {
          const mid = (a.start + a.end) / 2;
          const [x, y] = point(mid, radius + 8);
          const isLeft = mid > Math.PI;
          const turn = (mid * 180) / Math.PI - 90 + (isLeft ? 180 : 0);
          const isDim = lit !== undefined && !partners.has(a.id) && lit !== a.id;
          return (
            <g
              key={a.id}
              tabIndex={0}
              role="img"
              aria-label={says(a.id)}
              onFocus={() => setLit(a.id)}
              onBlur={() => setLit(undefined)}
              onPointerEnter={() => setLit(a.id)}
            >
              <path className={`arc ${color(a.id)} ${isDim ? "dim" : ""}`} d={arcPath(a, inner, radius)} />
              <text className={isDim ? "dim" : ""} transform={`translate(${x} ${y}) rotate(${turn})`} textAnchor={isLeft ? "end" : "start"} dominantBaseline="middle" aria-hidden="true">
                {short(a.id)}
              </text>
            </g>
          );
        })}
      </svg>
      <p id={id} className="chord-says" aria-live="polite">
        {lit === undefined ? "Point at a repository, or move the focus to it, to see with whom it shares." : says(lit)}
      </p>
    </>
  );
}
