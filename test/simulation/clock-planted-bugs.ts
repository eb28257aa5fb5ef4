import type { PlantedBug } from './planted-bug.ts';

/** Planted bugs of times when the wall clock is set. */
export const clockPlantedBugs: readonly PlantedBug[] = [
  {
    name: 'the age limit of a topic follows the wall clock',
    file: 'broker/retention/age-retention.js',
    find: 'steady.now() - ageMsMax',
    replace: 'this.#clock.now() - ageMsMax',
  },
  {
    name: 'times to live follow the wall clock',
    file: 'broker/topics/expiry.js',
    find: 'const nowMs = this.#host.steady.now();',
    replace: 'const nowMs = this.#host.clock.now();',
  },
  {
    name: 'the dedupe window follows the wall clock',
    file: 'broker/topics/deduplication.js',
    find: 'original.steadyMs > steady.now() - windowMs',
    replace: 'original.steadyMs > steady.toWall(steady.now()) - windowMs',
  },
  {
    name: 'a jump of the clock makes delayed messages due',
    file: 'broker/topics/delay-log.js',
    find: 'return this.#table.firstDueMs() <= this.#host.steady.now();',
    replace: 'return this.#table.firstDueMs() <= this.#host.clock.now();',
  },
  {
    name: 'a jump of the clock is not in the journal',
    file: 'broker/assemble.js',
    find: 'this.log.record(EntryKind.clockJumped, 0, this.#scratch.view());',
    replace: ';',
  },
  {
    name: 'found: behind the last jump the clock tells other times than steady time',
    file: 'util/steady-time.js',
    find: 'fromMs: Math.min(fromMs, nowMs - 1)',
    replace: 'fromMs',
    tests: ['broker/clock-jumps.test.js'],
  },
];
