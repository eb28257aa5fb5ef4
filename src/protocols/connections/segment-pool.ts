/**
 * Bytes of an output segment. If the socket is not busy, a full segment is written without waiting for the
 * flush.
 */
export const segmentBytes: number = 64 * 1024;

const segmentsKept = 64;

/** A pool of output segments. A connection without output has no segment. */
export class SegmentPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(segmentBytes);
  }

  /** Takes back a segment that is no longer used. */
  give(segment: Buffer): void {
    if (segment.length === segmentBytes && this.#free.length < segmentsKept) this.#free.push(segment);
  }
}
