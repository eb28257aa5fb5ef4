import type { TrackJson } from '../admin-api/index.ts';

/** Where a line goes if its rate stays the same. */
export interface Projection {
  readonly perSecond: number;
  /** Where it ends: 0 for a backlog that gets empty, or the value at which a topic is full. */
  readonly end: number | null;
  /** When it is there; null: it goes on beyond the chart. */
  readonly inMs: number | null;
}

/** The share of the chart that is left for the future. */
const futureShare = 1 / 4;

export interface Projected {
  readonly times: number[];
  /** The values that are known, and null for the future. */
  readonly known: (number | null)[];
  /** From the last known value on. */
  readonly future: (number | null)[];
}

/** A track of levels with steps of the future, and the line that leads there. */
export function project(track: TrackJson, projection: Projection | undefined): Projected {
  const past = track.level.length;
  const times = track.level.map((_, at) => track.startMs + at * track.stepMs);
  const known = [...track.level];
  const lastAt = known.findLastIndex((value) => value !== null);
  const last = known[lastAt];
  if (!projection || last === undefined || last === null)
    return { times, known, future: known.map(() => null) };
  const steps = Math.ceil(past * futureShare);
  const fromMs = times[lastAt] ?? 0;
  const future: (number | null)[] = times.map((_, at) => (at === lastAt ? last : null));
  for (let step = 0; step < steps; step++) {
    const atMs = (times.at(-1) ?? fromMs) + track.stepMs;
    times.push(atMs);
    known.push(null);
    const aheadMs = atMs - fromMs;
    const hasEnded = projection.inMs !== null && aheadMs > projection.inMs + track.stepMs;
    future.push(hasEnded ? null : levelAt(last, projection, aheadMs));
  }
  return { times, known, future };
}

function levelAt(last: number, { perSecond, end, inMs }: Projection, aheadMs: number): number {
  if (inMs !== null && end !== null) {
    const share = inMs <= 0 ? 1 : Math.min(1, aheadMs / inMs);
    return last + (end - last) * share;
  }
  return Math.max(0, last + (perSecond * aheadMs) / 1000);
}
