/** Bytes of an output segment: what is put into an output is written at the latest when so much is there. */
export const segmentBytes: number = 64 * 1024;

const segmentsKept = 64;

/** A pool of output segments: connections that have nothing to send have none. */
export class SegmentPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(segmentBytes);
  }

  /** Takes back a segment nobody reads or writes any more. */
  give(segment: Buffer): void {
    if (segment.length === segmentBytes && this.#free.length < segmentsKept) this.#free.push(segment);
  }
}
