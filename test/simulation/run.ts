import { check, type Violation } from './checker.ts';
import type { Event } from './history.ts';
import type { Script } from './script.ts';
import { World, type WorldOptions } from './world.ts';

/** The outcome of a script. */
export interface Outcome {
  readonly violations: readonly Violation[];
  readonly events: readonly Event[];
  /** The same for the same script, always: the calls of the disk and the history. */
  readonly digest: string | undefined;
  readonly starts: number;
  /** Calls of the disk until the script was at its end. */
  readonly calls: number;
  /** Calls that the start after the first interruption made; undefined: there was none. */
  readonly callsOfRecovery: number | undefined;
}

/** Errors without a handler while a script ran. */
let strayed: ((error: unknown) => void) | undefined;

/** Plays a script and checks its history. */
export async function run(script: Script, options: WorldOptions = {}): Promise<Outcome> {
  const world = new World(script, options);
  const { history } = world;
  const problem = (error: unknown): void =>
    void history.add({
      kind: 'problem',
      text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  strayed = problem;
  try {
    await world.live();
  } catch (error) {
    problem(error);
  } finally {
    strayed = undefined;
  }
  return {
    violations: check(history.events),
    events: history.events,
    digest: world.machine.trace && history.digest(world.machine.trace),
    starts: history.run,
    calls: world.callsOfScript,
    callsOfRecovery: world.callsOfRecovery,
  };
}

/** An exception in a timer, or a rejection without a handler: the current run has a problem. */
export function catchStrays(): void {
  const caught = (error: unknown): void => {
    if (!strayed) throw error;
    strayed(error);
  };
  process.on('uncaughtException', caught);
  process.on('unhandledRejection', caught);
}
