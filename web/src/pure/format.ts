// Numbers, sizes and times as people read them.

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];

/** Decimal units with three significant digits, as ECR's console shows sizes: 1234567 -> "1.23 MB". */
export function bytes(n: number): string {
  if (!Number.isFinite(n)) return "-";
  if (n < 0) return `-${bytes(-n)}`;
  let unit = 0;
  let value = n;
  // 999.5 would be rounded to "1000": take the next unit then.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  if (unit === 0) return `${value} B`;
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** "1 image", "1,200 images" */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** part / whole in percent. Never rounds something to nothing, nor a part to the whole. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return "0%";
  const p = (100 * part) / whole;
  if (p > 0 && p < 0.1) return "<0.1%";
  if (p < 100 && p > 99.9) return ">99.9%";
  return `${p < 10 && p > 0 ? p.toFixed(1).replace(/\.0$/, "") : Math.round(p)}%`;
}

const pad = (n: number) => String(n).padStart(2, "0");

/** Seconds since 1970 as "2026-11-24 03:04:05 (UTC+01:00)", in the reader's zone, as AWS consoles write it. */
export function time(seconds: number | undefined, offsetMinutes?: number): string {
  if (seconds === undefined) return "-";
  const offset = offsetMinutes ?? -new Date(seconds * 1000).getTimezoneOffset();
  const d = new Date(seconds * 1000 + offset * 60_000);
  const zone = `UTC${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  return `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())} ${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())} (${zone})`;
}

/** The same without the zone, for tables; its place is the explanation of the cell. */
export function shortTime(seconds: number): string {
  return time(seconds).replace(/ \(.*/, "");
}

const STEPS: [number, string][] = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
  [Infinity, "year"],
];

/** A length of time: "3 minutes", "2 days". */
export function duration(seconds: number): string {
  let value = Math.max(0, seconds);
  for (const [size, name] of STEPS) {
    if (value < size || size === Infinity) return plural(Math.floor(value), name);
    value /= size;
  }
  return "";
}

/** "just now", "3 minutes ago" */
export function ago(seconds: number, now = Date.now() / 1000): string {
  const d = now - seconds;
  return d < 10 ? "just now" : `${duration(d)} ago`;
}

/** A latency: "850 µs", "2 ms", "1.2 s" */
export function latency(seconds: number | undefined): string {
  if (seconds === undefined) return "-";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${+(seconds * 1000).toPrecision(3)} ms`;
  return `${+seconds.toPrecision(3)} s`;
}

/** "sha256:0123456789ab…": enough to recognize. */
export function shortDigest(digest: string): string {
  const [algorithm, hex = ""] = digest.split(":");
  return hex.length > 14 ? `${algorithm}:${hex.slice(0, 12)}…` : digest;
}
