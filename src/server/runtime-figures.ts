import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks';

/** The delay of the event loop over a window of about this long. */
const windowMs = 10_000;
const resolutionMs = 20;

const gcKinds = ['minor', 'major', 'incremental', 'weakcb'] as const;
export type GcKind = (typeof gcKinds)[number];
const kindOf: { readonly [kind: number]: GcKind } = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

interface GcEntry {
  readonly duration: number;
  readonly detail?: { readonly kind: number };
}

/** How late the event loop was, in seconds: half of its turns, 99 of 100, and all. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * The runtime figures tell how the process fares: how late its event loop is, how much of the time that is
 * busy, and what garbage collection takes.
 */
export class RuntimeFigures {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #observer: PerformanceObserver;
  readonly gc: { readonly [K in GcKind]: { runs: number; seconds: number } } = {
    minor: { runs: 0, seconds: 0 },
    major: { runs: 0, seconds: 0 },
    incremental: { runs: 0, seconds: 0 },
    weakcb: { runs: 0, seconds: 0 },
  };
  #sinceMs = performance.now();
  /** Undefined: the first window is not over. */
  loopDelay: LoopDelay | undefined = undefined;

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      // The types of Node lack the detail of an entry.
      for (const { detail, duration } of list.getEntries() as readonly GcEntry[]) {
        const kind = kindOf[detail?.kind ?? -1];
        if (kind === undefined) continue;
        this.gc[kind].runs++;
        this.gc[kind].seconds += duration / 1000;
      }
    });
  }

  start(): void {
    this.#delay.enable();
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    this.#delay.disable();
    this.#observer.disconnect();
  }

  /** To be called every few seconds: ends a window that is over. */
  sample(nowMs: number = performance.now()): void {
    if (nowMs - this.#sinceMs < windowMs) return;
    this.#sinceMs = nowMs;
    // The histogram has the time between two looks: what is beyond its resolution is delay.
    const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000);
    const delay = this.#delay;
    this.loopDelay = {
      p50: seconds(delay.percentile(50)),
      p99: seconds(delay.percentile(99)),
      max: seconds(delay.max),
    };
    delay.reset();
  }

  /** For how long the event loop has been busy since the process began, in seconds. */
  get loopBusySeconds(): number {
    return performance.eventLoopUtilization().active / 1000;
  }
}
