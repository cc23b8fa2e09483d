// Small charts in SVG. Cloudscape's own would weigh more than the rest of the console. Each can be read without seeing it:
// by its label and by the table that the page puts behind it.

import { useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { at, steps, ticks, type Point } from "../pure/savings";
import { bytes, percent, time } from "../pure/format";

interface BarItem {
  key: string;
  name: ReactNode;
  value: number;
  words: string;
}

/** Names, bars, and values in words. */
export function BarList({ items, label, tone = "" }: { items: BarItem[]; label: string; tone?: string }) {
  const max = Math.max(1, ...items.map((i) => i.value));
  return (
    <dl className="bars chart" aria-label={label}>
      {items.map((i) => [
        <dt key={`${i.key} name`}>{i.name}</dt>,
        <dd key={`${i.key} bar`} aria-hidden="true">
          <svg className="track" viewBox="0 0 100 10" preserveAspectRatio="none">
            <rect className={`bar ${tone}`} width={Math.max(0.5, (100 * i.value) / max)} height="10" />
          </svg>
        </dd>,
        <dd key={`${i.key} value`} className="number">
          {i.words}
        </dd>,
      ])}
    </dl>
  );
}

const HEIGHT = 260;
const LEFT = 64;
const BOTTOM = 24;
const TOP = 8;

/** The width in pixels of an element, so that a chart is drawn in pixels and its text keeps its size. */
function useWidth(): [(element: Element | null) => void, number] {
  const [width, setWidth] = useState(800);
  const observer = useRef<ResizeObserver>(undefined);
  useEffect(() => () => observer.current?.disconnect(), []);
  const ref = useRef((element: Element | null) => {
    observer.current?.disconnect();
    if (!element) return;
    observer.current = new ResizeObserver(([entry]) => setWidth(Math.max(240, Math.round(entry!.contentRect.width))));
    observer.current.observe(element);
  });
  return [ref.current, width];
}

function days(from: number, to: number, most: number): number[] {
  const day = 86_400;
  const step = Math.max(1, Math.ceil((to - from) / day / most)) * day;
  const out: number[] = [];
  for (let t = Math.ceil(from / day) * day; t <= to; t += step) out.push(t);
  return out;
}

/** Stored size below, what sharing saves on top of it: together the logical size. Arrow keys read it point by point. */
export function HistoryChart({ points, label }: { points: readonly Point[]; label: string }) {
  const [cursor, setCursor] = useState<number>();
  const id = useId();
  const [ref, width] = useWidth();
  const first = points[0];
  const last = points[points.length - 1];
  if (!first || !last) return null;
  const from = first.at;
  const to = Math.max(last.at, from + 1);
  const scale = ticks(Math.max(...points.map((p) => p.logicalBytes)));
  const top = scale[scale.length - 1] || 1;
  const x = (t: number) => LEFT + ((t - from) / (to - from)) * (width - LEFT - 8);
  const y = (b: number) => TOP + (1 - b / top) * (HEIGHT - TOP - BOTTOM);
  const drawn = steps(points);
  const line = (f: (p: Point) => number) => drawn.map((p, i) => `${i ? "L" : "M"}${x(p.at).toFixed(1)},${y(f(p)).toFixed(1)}`).join("");
  const back = (f: (p: Point) => number) => [...drawn].reverse().map((p) => `L${x(p.at).toFixed(1)},${y(f(p)).toFixed(1)}`).join("");
  const shown = cursor === undefined ? undefined : points[cursor];

  const move = (e: PointerEvent<SVGSVGElement>) => {
    const box = e.currentTarget.getBoundingClientRect();
    const t = from + (((e.clientX - box.left) / box.width) * width - LEFT) / ((width - LEFT - 8) / (to - from));
    const p = at(points, t) ?? first;
    setCursor(points.indexOf(p));
  };
  const key = (e: KeyboardEvent) => {
    const now = cursor ?? points.length - 1;
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: points.length - 1 }[e.key];
    if (next === undefined) return;
    e.preventDefault();
    setCursor(Math.max(0, Math.min(points.length - 1, next)));
  };
  const says = (p: Point) =>
    `${time(p.at)}: ${bytes(p.logicalBytes)} in repositories, ${bytes(p.storedBytes)} stored, ${bytes(p.savedBytes)} (${percent(p.savedBytes, p.logicalBytes)}) saved`;

  return (
    <div
      ref={ref}
      className="chart-focus"
      tabIndex={0}
      role="group"
      aria-label={`${label}. Arrow keys move along it.`}
      aria-describedby={id}
      onKeyDown={key}
      onFocus={() => setCursor((c) => c ?? points.length - 1)}
      onBlur={() => setCursor(undefined)}
    >
      <svg className="chart" height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true" onPointerMove={move} onPointerLeave={() => setCursor(undefined)}>
        {scale.map((v) => (
          <g key={v}>
            <line className="axis" x1={LEFT} x2={width - 8} y1={y(v)} y2={y(v)} />
            <text x={LEFT - 8} y={y(v) + 4} textAnchor="end">
              {bytes(v)}
            </text>
          </g>
        ))}
        {days(from, to, width / 120).map((t) => (
          <text key={t} x={x(t)} y={HEIGHT - 4} textAnchor={x(t) > width - 40 ? "end" : "middle"}>
            {new Date(t * 1000).toISOString().slice(5, 10)}
          </text>
        ))}
        <path className="area-stored" d={`${line((p) => p.storedBytes)}L${x(to)},${y(0)}L${x(from)},${y(0)}Z`} />
        <path className="area-saved" d={`${line((p) => p.logicalBytes)}${back((p) => p.storedBytes)}Z`} />
        <path className="line-stored" d={line((p) => p.storedBytes)} />
        <path className="line-logical" d={line((p) => p.logicalBytes)} />
        {shown && (
          <g>
            <line className="cursor" x1={x(shown.at)} x2={x(shown.at)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <circle className="fill-stored" cx={x(shown.at)} cy={y(shown.storedBytes)} r="4" />
            <circle className="fill-saved" cx={x(shown.at)} cy={y(shown.logicalBytes)} r="4" />
          </g>
        )}
      </svg>
      <div className="legend">
        <span>
          <i className="swatch is-stored" /> Stored
        </span>
        <span>
          <i className="swatch is-saved" /> Saved by sharing
        </span>
        <span id={id} aria-live="polite" className="number">
          {says(shown ?? last)}
        </span>
      </div>
    </div>
  );
}

interface Day {
  date: string;
  bytes: number;
}

/** One bar a day. */
export function DayBars({ days: list, label, tone }: { days: Day[]; label: string; tone: string }) {
  const [ref, width] = useWidth();
  const scale = ticks(Math.max(1, ...list.map((d) => d.bytes)));
  const top = scale[scale.length - 1] || 1;
  const step = (width - LEFT - 8) / Math.max(1, list.length);
  const y = (b: number) => TOP + (1 - b / top) * (HEIGHT - TOP - BOTTOM);
  const every = Math.ceil(list.length / Math.max(1, Math.floor((width - LEFT) / 60)));
  return (
    <div ref={ref}>
      <svg className="chart" height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
        {scale.map((v) => (
          <g key={v}>
            <line className="axis" x1={LEFT} x2={width - 8} y1={y(v)} y2={y(v)} />
            <text x={LEFT - 8} y={y(v) + 4} textAnchor="end">
              {bytes(v)}
            </text>
          </g>
        ))}
        {list.map((d, i) => (
          <g key={d.date}>
            <rect className={`bar ${tone}`} x={LEFT + i * step + step * 0.15} width={step * 0.7} y={y(d.bytes)} height={Math.max(0, y(0) - y(d.bytes))}>
              <title>{`${d.date}: ${bytes(d.bytes)}`}</title>
            </rect>
            {i % every === 0 && (
              <text x={LEFT + (i + 0.5) * step} y={HEIGHT - 4} textAnchor="middle">
                {d.date.slice(5)}
              </text>
            )}
          </g>
        ))}
      </svg>
    </div>
  );
}
