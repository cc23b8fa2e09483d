// A time in a table: short, so that other columns have room; with its zone for who asks.

import { shortTime, time } from "../pure/format";

export function When({ at }: { at: number | undefined }) {
  if (at === undefined) return <>-</>;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={time(at)}>
      {shortTime(at)}
    </time>
  );
}
