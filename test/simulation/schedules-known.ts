import type { PublishKnown } from './facts.ts';
import type { ScheduleFact } from './history.ts';

/** The clients' knowledge of a schedule, as it was defined with one message. */
export class ScheduleKnown {
  readonly publish: PublishKnown;
  readonly asked: ScheduleFact;
  /** The broker said that it is there. */
  isDefined = false;
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
  }

  isAside(timeMs: number): boolean {
    return this.asides.some((askedMs) => timeMs >= askedMs && timeMs <= askedMs + 1);
  }

  /** How many of its runs until then may have been published and not seen. */
  unseenRuns(wallMs: number): number {
    const times = Math.floor((wallMs - this.publish.askedWallMs) / this.asked.everyMs) + 1;
    return Math.max(0, times + this.asides.length - this.runs.size);
  }

  /** Whether it was surely paused all the time around that. */
  isPausedAt(timeMs: number): boolean {
    return this.pauses.some(({ fromMs, toMs }) => timeMs > fromMs && timeMs < toMs);
  }
}
