import type { CronTimes } from '../../util/index.ts';
import type { ScheduleTimes } from './schedule-config.ts';

/** A timetable has the times of a schedule's runs, in milliseconds since the epoch. Undefined: no run. */
export interface Timetable {
  /** The first run of a schedule that is defined now. */
  first(nowMs: number): number | undefined;
  /** The run after the one at `timeMs`. */
  following(timeMs: number): number | undefined;
  /** The first run after now of those from `timeMs` on, which is the time of a run. */
  resumed(timeMs: number, nowMs: number): number | undefined;
  /** The runs from `timeMs` on that are due by now; at least that one is. */
  due(timeMs: number, nowMs: number): DueRuns;
}

/** The runs of a timetable that are due together. */
export interface DueRuns {
  /** The last of them. */
  readonly lastMs: number;
  /**
   * How many there are besides the last. Of a cron expression, no more than {@link countedMax} are counted.
   */
  readonly others: number;
  /** The run after now. */
  readonly nextMs: number | undefined;
}

/** Runs of a cron expression are counted one by one; no more than this. */
const countedMax = 1000;

/** The timetable of these times. `cron` are the times of the cron expression, if there is one. */
export function timetableOf(times: ScheduleTimes, cron: CronTimes | undefined): Timetable {
  const { everyMs, atMs, startMs, endMs = Infinity } = times;
  if (atMs !== undefined) return singleTime(atMs);
  if (everyMs !== undefined) return intervalTimes(everyMs, startMs, endMs);
  return cronTimes(cron!, startMs ?? 0, endMs);
}

function singleTime(atMs: number): Timetable {
  return {
    first: () => atMs,
    following: () => undefined,
    resumed: (timeMs, nowMs) => (timeMs > nowMs ? timeMs : undefined),
    due: (timeMs) => ({ lastMs: timeMs, others: 0, nextMs: undefined }),
  };
}

function intervalTimes(everyMs: number, startMs: number | undefined, endMs: number): Timetable {
  const before = (timeMs: number): number | undefined => (timeMs > endMs ? undefined : timeMs);
  const after = (timeMs: number, nowMs: number): number =>
    timeMs > nowMs ? timeMs : timeMs + everyMs * (Math.floor((nowMs - timeMs) / everyMs) + 1);
  return {
    first: (nowMs) => before(startMs === undefined ? nowMs + everyMs : after(startMs, nowMs - 1)),
    following: (timeMs) => before(timeMs + everyMs),
    resumed: (timeMs, nowMs) => before(after(timeMs, nowMs)),
    due: (timeMs, nowMs) => {
      const others = Math.max(0, Math.floor((Math.min(nowMs, endMs) - timeMs) / everyMs));
      return { lastMs: timeMs + others * everyMs, others, nextMs: before(after(timeMs, nowMs)) };
    },
  };
}

function cronTimes(cron: CronTimes, startMs: number, endMs: number): Timetable {
  const next = (timeMs: number): number | undefined => {
    const nextMs = cron.nextMs(Math.max(timeMs, startMs - 1));
    return nextMs === undefined || nextMs > endMs ? undefined : nextMs;
  };
  return {
    first: next,
    following: next,
    resumed: (timeMs, nowMs) => (timeMs > nowMs ? timeMs : next(nowMs)),
    due: (timeMs, nowMs) => {
      let lastMs = timeMs;
      let others = 0;
      let nextMs = next(timeMs);
      while (nextMs !== undefined && nextMs <= nowMs && others < countedMax) {
        lastMs = nextMs;
        others++;
        nextMs = next(nextMs);
      }
      if (nextMs !== undefined && nextMs <= nowMs) nextMs = next(nowMs);
      return { lastMs, others, nextMs };
    },
  };
}
