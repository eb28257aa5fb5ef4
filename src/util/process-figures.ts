/** Memory (bytes) and processor time of this process, as last reported by the system. */
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
 * The current figures of this process. Node opens a file in /proc to get them, which fails when the process
 * has run out of descriptors. The last known figures are returned then.
 */
export function processFigures(): ProcessFigures {
  try {
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    known = { rss, heapUsed, external, arrayBuffers, cpuMicroseconds: user + system };
  } catch {
    // The last known figures are good enough.
  }
  return known;
}
