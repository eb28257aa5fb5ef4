/** A track of numbers over time: one per step, the last `length` of them. */
export interface TrackShape {
  readonly stepMs: number;
  readonly length: number;
}

/** The numbers that are kept of a topic or a group at each step. */
const columns = ['in', 'out', 'level'] as const;
export type Column = (typeof columns)[number];

/** One step: messages in and out per second, and how many messages waited. */
export type Sample = { readonly [C in Column]: number };

/**
 * A ring of samples. Steps are counted from the epoch, so that tracks of several runs of the broker fit
 * together; steps without a sample are NaN.
 */
export class Track {
  readonly shape: TrackShape;
  readonly #rings: { readonly [C in Column]: Float32Array };
  /** The newest step. */
  #last = -1;

  constructor(shape: TrackShape) {
    this.shape = shape;
    const ring = (): Float32Array => new Float32Array(shape.length).fill(Number.NaN);
    this.#rings = { in: ring(), out: ring(), level: ring() };
  }

  /** The newest step; -1 if there is none. */
  get lastStep(): number {
    return this.#last;
  }

  note(atMs: number, sample: Sample): void {
    const step = Math.floor(atMs / this.shape.stepMs);
    // The clock was set back: the steps that are written already stay as they are.
    if (step < this.#last) return;
    const { length } = this.shape;
    // A timer that was late by less than a step has left one out.
    if (step === this.#last + 2) this.#write((step - 1) % length, sample);
    else
      for (let skipped = Math.max(this.#last + 1, step - length + 1); skipped < step; skipped++)
        this.#write(skipped % length, { in: Number.NaN, out: Number.NaN, level: Number.NaN });
    this.#write(step % length, sample);
    this.#last = step;
  }

  #write(at: number, sample: Sample): void {
    for (const column of columns) this.#rings[column][at] = sample[column];
  }

  /** The values of the `count` steps up to the one of `nowMs`, oldest first; NaN where there is none. */
  read(column: Column, nowMs: number, count: number = this.shape.length): number[] {
    const { stepMs, length } = this.shape;
    const end = Math.floor(nowMs / stepMs);
    const ring = this.#rings[column];
    return Array.from({ length: Math.min(count, length) }, (_, at) => {
      const step = end - Math.min(count, length) + 1 + at;
      return step > this.#last || step <= this.#last - length || step < 0
        ? Number.NaN
        : (ring[step % length] ?? Number.NaN);
    });
  }

  /** Bytes of {@link write}. */
  static bytesOf(shape: TrackShape): number {
    return 8 + columns.length * shape.length * 4;
  }

  /** The newest step, and the rings as they are, in little-endian order. */
  write(target: DataView, position: number): void {
    target.setFloat64(position, this.#last, true);
    let at = position + 8;
    for (const column of columns)
      for (const value of this.#rings[column]) {
        target.setFloat32(at, value, true);
        at += 4;
      }
  }

  static restore(shape: TrackShape, source: DataView, position: number): Track {
    const track = new Track(shape);
    const last = source.getFloat64(position, true);
    track.#last = Number.isSafeInteger(last) && last >= -1 ? last : -1;
    let at = position + 8;
    for (const column of columns)
      for (let index = 0; index < shape.length; index++) {
        track.#rings[column][index] = source.getFloat32(at, true);
        at += 4;
      }
    return track;
  }
}
