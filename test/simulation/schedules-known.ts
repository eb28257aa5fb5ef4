import { cronLineOf, cronTimeAfter } from './cron-times.ts';
import type { PublishKnown } from './facts.ts';
import type { ScheduleFact } from './history.ts';

/** The clients' knowledge of a schedule, as it was defined with one message. */
export class ScheduleKnown {
  readonly publish: PublishKnown;
  readonly asked: ScheduleFact;
  /**
   * When it, or the first of its name, was asked for: a new definition goes on with the runs of the other.
   */
  sinceWallMs: number;
  /** The broker said that it is there. */
  isDefined = false;
  /** When the broker said so, by the wall clock. */
  definedMs: number = Infinity;
  /** It was asked to end, or may have been replaced. */
  mayRest = false;
  /** It was asked to pause, or one of its name was before it: a new definition leaves a schedule paused. */
  mayBePaused = false;
  /** When it was surely gone, by the wall clock. */
  goneMs: number = Infinity;
  /** When it was surely paused, by the wall clock. */
  readonly pauses: { readonly fromMs: number; toMs: number }[] = [];
  /** Index of the last request to resume it. */
  resumedAt = -1;
  /** When it was asked to run besides its times. */
  readonly asides: number[] = [];
  /** The runs that were seen, by their times: where, and in which life of the process. */
  readonly runs: Map<number, { readonly where: string; readonly run: number }> = new Map();

  constructor(publish: PublishKnown, asked: ScheduleFact) {
    this.publish = publish;
    this.asked = asked;
    this.sinceWallMs = publish.askedWallMs;
  }

  isAside(timeMs: number): boolean {
    return this.asides.some((askedMs) => timeMs >= askedMs && timeMs <= askedMs + 1);
  }

  /** The time of the run after that one. `sinceMs`: another of its runs; intervals begin at any time. */
  after(timeMs: number, sinceMs: number = timeMs): number {
    const { cron, everyMs, endMs = Infinity } = this.asked;
    const nextMs =
      cron === undefined
        ? sinceMs + (Math.floor((timeMs - sinceMs) / everyMs) + 1) * everyMs
        : cronTimeAfter(cronLineOf(cron), timeMs);
    return nextMs > endMs ? Infinity : nextMs;
  }

  /** Whether it may run at that time, as it ran at the other. */
  isTime(timeMs: number, otherMs: number | undefined): boolean {
    const { cron, everyMs } = this.asked;
    if (cron !== undefined) return cronTimeAfter(cronLineOf(cron), timeMs - 1) === timeMs;
    return otherMs === undefined || (timeMs - otherMs) % everyMs === 0;
  }

  /** The runs that were seen, besides those that it was asked for, by their times. */
  get ownRuns(): number[] {
    return [...this.runs.keys()].filter((ms) => !this.isAside(ms)).sort((a, b) => a - b);
  }

  /** How many of its runs until then may have been published and not seen. */
  unseenRuns(wallMs: number): number {
    const { cron, everyMs } = this.asked;
    const periodMs = cron === undefined ? everyMs : cronLineOf(cron).everyMs;
    const times = Math.floor((wallMs - this.publish.askedWallMs) / periodMs) + 1;
    return Math.max(0, times + this.asides.length - this.runs.size);
  }

  /** Whether it was surely paused all the time around that. */
  isPausedAt(timeMs: number): boolean {
    return this.pauses.some(({ fromMs, toMs }) => timeMs > fromMs && timeMs < toMs);
  }
}
