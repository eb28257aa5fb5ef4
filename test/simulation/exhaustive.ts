import type { Violation } from './checker.ts';
import { fixedScript } from './fixed-script.ts';
import type { Interruption } from './machine.ts';
import { run, type Outcome } from './run.ts';

/*
 * The exhaustive mode takes one fixed script and lets every single call of the disk go wrong, one per run:
 * the process dies before it or after it, with or without the machine's power, or the call fails. And again
 * during each recovery.
 */

/** One run: its interruptions. */
export type Case = readonly Interruption[];

/** A case whose history breaks a promise. */
export interface FailedCase {
  readonly interruptions: Case;
  readonly violation: Violation;
}

export interface ExhaustiveTally {
  /** Calls of the disk that the script makes when nothing goes wrong. */
  readonly calls: number;
  readonly cases: number;
  readonly failures: readonly FailedCase[];
}

/**
 * Every so-manieth case, from which on: a share of all of them. The shares of one size have no case in common
 * and leave none out.
 */
export interface Share {
  readonly every: number;
  readonly from: number;
}

const crashes = [
  { kind: 'crash-before', power: true },
  { kind: 'crash-before', power: false },
  { kind: 'crash-after', power: true },
] as const;
const failures = [
  { kind: 'fail', code: 'EIO' },
  { kind: 'fail', code: 'ENOSPC' },
  { kind: 'fail', code: 'EMFILE' },
] as const;

/**
 * With two interruptions in it, a case plays the script so many operations on from the second, a round of it
 * and more; then it comes to its end as always, with everything delivered, read, and read again after another
 * stop.
 */
const operationsAfter = 30;

/** Calls of the disk that the fixed script makes. */
export async function countCalls(): Promise<number> {
  const { calls, violations } = await run(fixedScript, { inOrder: true });
  if (violations.length > 0) throw new Error(`${violations[0]!.rule}: ${violations[0]!.text}`);
  return calls;
}

/**
 * Plays the cases of a share of all calls. Depth 1: every interruption at them. Depth 2: a crash there, and
 * every interruption of the recovery.
 */
export async function exhaust(
  depth: 1 | 2,
  { every, from }: Share,
  onFailure?: (failure: FailedCase) => void,
): Promise<ExhaustiveTally> {
  const calls = await countCalls();
  const failed: FailedCase[] = [];
  let played = 0;
  const play = async (interruptions: Case): Promise<Outcome> => {
    played++;
    const outcome = await playCase(interruptions);
    if (outcome.violations.length > 0) {
      const failure = { interruptions, violation: outcome.violations[0]! };
      failed.push(failure);
      onFailure?.(failure);
    }
    return outcome;
  };
  // A case of depth 2 has two places: a share takes some of the first, and with each some of the second.
  const everyCall = depth === 1 ? every : divisorNearRoot(every);
  const everyAgain = every / everyCall;
  for (let afterCalls = from % everyCall; afterCalls < calls; afterCalls += everyCall) {
    if (depth === 1) for (const what of [...crashes, ...failures]) await play([{ ...what, afterCalls }]);
    else {
      const crash = { ...crashes[afterCalls % crashes.length]!, afterCalls };
      const { callsOfRecovery = 0 } = await play([crash]);
      for (let again = Math.floor(from / everyCall); again < callsOfRecovery; again += everyAgain)
        for (const what of [crashes[again % crashes.length]!, failures[0]])
          await play([crash, { ...what, afterCalls: again }]);
    }
  }
  return { calls, cases: played, failures: failed };
}

function divisorNearRoot(number: number): number {
  let divisor = Math.floor(Math.sqrt(number));
  while (number % divisor !== 0) divisor--;
  return divisor;
}

/** Plays one case. */
export function playCase(interruptions: Case): Promise<Outcome> {
  const isTwice = interruptions.length > 1;
  return run(fixedScript, { inOrder: true, interruptions, ...(isTwice ? { operationsAfter } : {}) });
}
