import { type Sample, Track, type TrackShape } from './track.ts';

export interface HistoryOptions {
  /** The step of the fine track, in milliseconds. */
  readonly stepMs: number;
  /** Topics and groups with a history, all together. */
  readonly seriesMax: number;
}

/** A series that was busy this many steps ago makes no room for another one. */
const quietSteps = 2;

/** 360 steps of 10 s are an hour, and 288 of 5 minutes are a day. */
const fineLength = 360;
const coarseLength = 288;
const fineStepsPerCoarse = 30;

/** Whose history it is. A topic of the same name that is created anew is another one. */
export interface SeriesKey {
  readonly topic: string;
  /** Empty for the topic itself. */
  readonly group: string;
  readonly createdMs: number;
}

/** The samples of a topic or a group: fine ones of the last hour, and means of the last day. */
export interface Series {
  readonly key: SeriesKey;
  readonly fine: Track;
  readonly coarse: Track;
}

interface Mean {
  step: number;
  count: number;
  in: number;
  out: number;
  level: number;
}

/**
 * The history of rates and backlogs, of the whole broker, its topics and its groups. It is bounded: topics
 * and groups in which nothing happens have none, and when there are too many, those that were quiet the
 * longest lose theirs to others that are busy. If all are busy, others have none.
 */
export class History {
  readonly options: HistoryOptions;
  readonly fineShape: TrackShape;
  readonly coarseShape: TrackShape;
  /** Those that something happened in lately are at the end. */
  readonly #series = new Map<string, Series>();
  readonly #means = new WeakMap<Series, Mean>();
  readonly #busyMs = new WeakMap<Series, number>();

  constructor(options: HistoryOptions) {
    this.options = options;
    this.fineShape = { stepMs: options.stepMs, length: fineLength };
    this.coarseShape = { stepMs: options.stepMs * fineStepsPerCoarse, length: coarseLength };
  }

  get size(): number {
    return this.#series.size;
  }

  all(): Iterable<Series> {
    return this.#series.values();
  }

  of(key: SeriesKey): Series | undefined {
    const series = this.#series.get(nameOf(key));
    return series?.key.createdMs === key.createdMs ? series : undefined;
  }

  note(key: SeriesKey, nowMs: number, sample: Sample): void {
    let series = this.of(key);
    const isQuiet = sample.in === 0 && sample.out === 0;
    if (!series) {
      if ((isQuiet && sample.level === 0) || !this.#hasRoom(key, isQuiet, nowMs)) return;
      series = this.#add({ key, fine: new Track(this.fineShape), coarse: new Track(this.coarseShape) });
    } else if (!isQuiet) {
      this.#series.delete(nameOf(key));
      this.#series.set(nameOf(key), series);
    }
    if (!isQuiet) this.#busyMs.set(series, nowMs);
    series.fine.note(nowMs, sample);
    this.#noteMean(series, nowMs, sample);
  }

  /** Takes over a series of an earlier run. */
  restore(series: Series): void {
    this.#add(series);
  }

  /** Drops the series that `isGone` says are of topics and groups that are gone. */
  forget(isGone: (key: SeriesKey) => boolean): void {
    for (const [name, { key }] of this.#series) if (isGone(key)) this.#series.delete(name);
  }

  /**
   * Whether there is room for one more. If thousands took the places of each other at each step, a step would
   * cost a second, and none of them would have a history.
   */
  #hasRoom({ topic }: SeriesKey, isQuiet: boolean, nowMs: number): boolean {
    if (this.#series.size < this.options.seriesMax || topic === '') return true;
    const [quietest] = this.#series.values();
    if (isQuiet || !quietest) return false;
    const quietMs = Math.abs(nowMs - (this.#busyMs.get(quietest) ?? Number.NEGATIVE_INFINITY));
    return quietMs > quietSteps * this.options.stepMs;
  }

  #add(series: Series): Series {
    const { seriesMax } = this.options;
    this.#series.delete(nameOf(series.key));
    while (this.#series.size >= seriesMax) {
      const [quietest] = this.#series.keys();
      if (quietest === undefined) break;
      this.#series.delete(quietest);
    }
    this.#series.set(nameOf(series.key), series);
    return series;
  }

  /** The coarse track always has the mean of what its newest step has seen so far. */
  #noteMean(series: Series, nowMs: number, sample: Sample): void {
    const step = Math.floor(nowMs / this.coarseShape.stepMs);
    let mean = this.#means.get(series);
    if (mean?.step !== step) this.#means.set(series, (mean = { step, count: 0, in: 0, out: 0, level: 0 }));
    mean.count++;
    mean.in += (sample.in - mean.in) / mean.count;
    mean.out += (sample.out - mean.out) / mean.count;
    mean.level += (sample.level - mean.level) / mean.count;
    series.coarse.note(nowMs, mean);
  }
}

function nameOf({ topic, group }: SeriesKey): string {
  return `${topic}\0${group}`;
}
