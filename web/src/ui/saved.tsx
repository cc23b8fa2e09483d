// How much of the logical size is stored, and how much sharing saves: a bar with its numbers in words.

import type { Sums } from "../pure/savings";
import { bytes, percent } from "../pure/format";

/** wide: with a legend below. */
export function SavedBar({ sums, wide, max }: { sums: Sums; wide?: boolean; max?: number }) {
  const whole = Math.max(max ?? 0, sums.logicalBytes);
  const part = (n: number) => (whole > 0 ? (100 * n) / whole : 0);
  const words = `${bytes(sums.storedBytes)} stored, ${bytes(sums.savedBytes)} (${percent(sums.savedBytes, sums.logicalBytes)}) saved`;
  return (
    <div className={wide ? "saved wide" : "saved"}>
      <svg className="saved-bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={words}>
        <rect className="fill-track" width="100" height="10" />
        <rect className="fill-stored" width={part(sums.storedBytes)} height="10" />
        <rect className="fill-saved" x={part(sums.storedBytes)} width={part(sums.savedBytes)} height="10" />
      </svg>
      {wide && (
        <div className="legend">
          <span>
            <i className="swatch is-stored" /> Stored {bytes(sums.storedBytes)}
          </span>
          <span>
            <i className="swatch is-saved" /> Saved by sharing {bytes(sums.savedBytes)} ({percent(sums.savedBytes, sums.logicalBytes)})
          </span>
        </div>
      )}
    </div>
  );
}
