import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const clockTicksPerSecond = 100;
const kib = 1024;

/** Memory of a process in bytes; the peak is NaN if the system does not report it. */
export interface Memory {
  readonly residentBytes: number;
  readonly peakBytes: number;
}

export function memoryOf(pid: number): Memory {
  const status = readProcess(pid, 'status');
  if (status === undefined) {
    const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return { residentBytes: Number(stdout.trim()) * kib, peakBytes: Number.NaN };
  }
  return { residentBytes: field(status, 'VmRSS') * kib, peakBytes: field(status, 'VmHWM') * kib };
}

/** Processor time used by all threads of a process; NaN if the system does not report it. */
export function cpuSecondsOf(pid: number): number {
  const stat = readProcess(pid, 'stat');
  // The command in parentheses may hold spaces. After it come the fields from the third on; 14 and 15 are
  // user and system time in ticks.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields?.[11]) + Number(fields?.[12])) / clockTicksPerSecond;
}

function readProcess(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}
