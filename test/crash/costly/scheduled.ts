import { readFileSync } from 'node:fs';

/** Time on a processor and time in the queue for one. */
export interface Scheduled {
  readonly ranMs: number;
  readonly queuedMs: number;
}

/**
 * Of a process's first thread, so far (`/proc/PID/task/PID/schedstat`); zeros where the system does not tell.
 */
export function scheduled(pid: number): Scheduled {
  try {
    const [ranNs = 0, queuedNs = 0] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')
      .split(' ')
      .map(Number);
    return { ranMs: ranNs / 1e6, queuedMs: queuedNs / 1e6 };
  } catch {
    return { ranMs: 0, queuedMs: 0 };
  }
}
