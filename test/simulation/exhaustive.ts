import type { Violation } from './checker.ts';
import { fixedScript } from './fixed-script.ts';
import type { Interruption } from './machine.ts';
import { run } from './run.ts';

/*
 * The exhaustive mode takes one fixed script and lets every single call of the disk go wrong, one per run: the process dies before it or
 * after it, with or without the machine's power, or the call fails. And again during each recovery.
 */

/** One run: what goes wrong in it. */
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

/** Every so-manieth case, from which on: a share of all of them. */
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

/** More calls than a recovery of the fixed script makes; a case beyond its end goes wrong later. */
const recoveryCalls = 80;

/** All cases of one interruption, or of a crash and another interruption in the recovery from it. */
export function* cases(calls: number, depth: 1 | 2): Generator<Case> {
  for (let afterCalls = 0; afterCalls < calls; afterCalls++) {
    if (depth === 1) for (const what of [...crashes, ...failures]) yield [{ ...what, afterCalls }];
    else {
      for (let again = 0; again < recoveryCalls; again++) {
        for (const what of [crashes[again % 3]!, failures[0]])
          yield [
            { ...crashes[afterCalls % 3]!, afterCalls },
            { ...what, afterCalls: again },
          ];
      }
    }
  }
}

/** Calls of the disk that the fixed script makes. */
export async function countCalls(): Promise<number> {
  const { calls, violations } = await run(fixedScript, { inOrder: true });
  if (violations.length > 0) throw new Error(`${violations[0]!.rule}: ${violations[0]!.text}`);
  return calls;
}

/** Plays a share of all cases. */
export async function exhaust(
  depth: 1 | 2,
  { every, from }: Share,
  onFailure?: (failure: FailedCase) => void,
): Promise<ExhaustiveTally> {
  const calls = await countCalls();
  const failed: FailedCase[] = [];
  let played = 0;
  let at = 0;
  for (const interruptions of cases(calls, depth)) {
    if (at++ % every !== from) continue;
    played++;
    const { violations } = await run(fixedScript, { inOrder: true, interruptions });
    if (violations.length === 0) continue;
    const failure = { interruptions, violation: violations[0]! };
    failed.push(failure);
    onFailure?.(failure);
  }
  return { calls, cases: played, failures: failed };
}
