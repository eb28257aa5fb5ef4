import type { VNode } from 'preact';
import type { TrackJson } from '../../admin-api/index.ts';
import { rate } from '../format.ts';

const width = 100;
const height = 20;

/** The last minutes of the rates in and out, on one scale. */
export function Spark({ track }: { readonly track: TrackJson }): VNode {
  const peak = Math.max(0, ...track.in.map((value) => value ?? 0), ...track.out.map((value) => value ?? 0));
  const minutes = Math.round((track.stepMs * track.in.length) / 60_000);
  const title =
    peak === 0
      ? `nothing in the last ${minutes} minutes`
      : `in (filled) and out in the last ${minutes} minutes, ${rate(peak)} at most`;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={title}
    >
      <title>{title}</title>
      <path class="in" d={pathOf(track.in, peak, true)} />
      <path class="out" d={pathOf(track.out, peak, false)} />
    </svg>
  );
}

/** A path of the values from left to right; gaps where there is none. */
function pathOf(values: readonly (number | null)[], peak: number, isFilled: boolean): string {
  const x = (at: number): string => ((at / Math.max(1, values.length - 1)) * width).toFixed(1);
  const y = (value: number): string =>
    (height - 1 - (peak === 0 ? 0 : value / peak) * (height - 3)).toFixed(1);
  const runs: string[] = [];
  let from = -1;
  let line = '';
  const close = (at: number): void => {
    if (from >= 0) runs.push(isFilled ? `${line}L${x(at - 1)} ${height}L${x(from)} ${height}Z` : line);
    from = -1;
  };
  for (const [at, value] of values.entries()) {
    if (value === null) close(at);
    else if (from < 0) {
      from = at;
      line = `M${x(at)} ${y(value)}`;
    } else line += `L${x(at)} ${y(value)}`;
  }
  close(values.length);
  return runs.join('');
}
