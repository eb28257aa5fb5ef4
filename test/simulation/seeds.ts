import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Violation } from './checker.ts';
import { generate } from './generator.ts';
import { run } from './run.ts';

/** Which seeds to play: `from`, `from + step`, and so on, below `to`. */
export interface Seeds {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Goes on after a seed that fails. */
  readonly keepGoing: boolean;
}

/** A seed whose history breaks a promise. */
export interface Failure extends Violation {
  readonly seed: number;
}

/** The result of a number of seeds. */
export interface Tally {
  readonly seeds: number;
  readonly events: number;
  /** Starts of the broker, of which most are recoveries. */
  readonly starts: number;
  readonly failures: readonly Failure[];
}

/** Plays seeds one after the other in this process. */
export async function playSeeds(
  { from, to, step, keepGoing }: Seeds,
  onProgress?: (tally: Tally) => void,
): Promise<Tally> {
  let tally: Tally = { seeds: 0, events: 0, starts: 0, failures: [] };
  for (let seed = from; seed < to; seed += step) {
    const { violations, events, starts } = await run(generate(seed));
    const failures = violations.slice(0, 1).map((violation) => ({ ...violation, seed }));
    tally = sum([tally, { seeds: 1, events: events.length, starts, failures }]);
    onProgress?.(tally);
    if (failures.length > 0 && !keepGoing) break;
  }
  return tally;
}

export function sum(tallies: readonly Tally[]): Tally {
  return {
    seeds: tallies.reduce((total, { seeds }) => total + seeds, 0),
    events: tallies.reduce((total, { events }) => total + events, 0),
    starts: tallies.reduce((total, { starts }) => total + starts, 0),
    failures: tallies.flatMap(({ failures }) => failures).sort((a, b) => a.seed - b.seed),
  };
}

/** Plays seeds side by side in processes of their own. */
export async function playSeedsInJobs(seeds: Seeds, jobs: number): Promise<Tally> {
  const program = fileURLToPath(new URL('main.js', import.meta.url));
  const played = Array.from({ length: jobs }, (_, job) => {
    const { from, to, keepGoing } = seeds;
    const part: Seeds = { from: from + job, to, step: jobs, keepGoing };
    return new Promise<Tally>((resolve, reject) => {
      const child = fork(program, ['--worker', JSON.stringify(part)]);
      child.once('message', (tally) => resolve(tally as Tally));
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`A job ended with exit code ${code}.`)));
    });
  });
  return sum(await Promise.all(played));
}
