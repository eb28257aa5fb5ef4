/** Memory and processor time of this process, as the system last told them. */
export interface ProcessFigures {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  /** Microseconds of processor time. */
  readonly cpuMicroseconds: number;
}

let known: ProcessFigures = { rss: 0, heapUsed: 0, external: 0, arrayBuffers: 0, cpuMicroseconds: 0 };

/**
 * What this process uses. Node opens a file in /proc for it, so the question itself fails when descriptors
 * have run out; the answer is the last known one then.
 */
export function processFigures(): ProcessFigures {
  try {
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    known = { rss, heapUsed, external, arrayBuffers, cpuMicroseconds: user + system };
  } catch {
    // The figures of a moment ago are as good.
  }
  return known;
}
