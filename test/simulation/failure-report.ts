import { inspect } from 'node:util';
import type { Violation } from './checker.ts';
import type { Event } from './history.ts';
import { run, type Outcome } from './run.ts';
import type { Script } from './script.ts';
import { shrink } from './shrink.ts';

const lineCharsMax = 400;
const historyLinesMax = 200;

/** Reports a failing script: the broken promise, the shortest script that still breaks it, and its events. */
export async function reportFailure(script: Script, violation: Violation): Promise<string> {
  const fails = async (candidate: Script): Promise<boolean> =>
    (await run(candidate)).violations[0]?.rule === violation.rule;
  const shortest = await shrink(script, fails);
  const outcome = await run(shortest);
  return [
    `Seed ${script.seed} breaks a promise: ${violation.rule}: ${violation.text}`,
    `\nThe shortest script that still does (${shortest.operations.length} of ${script.operations.length} operations):`,
    ...shortest.operations.map((operation) => `  ${JSON.stringify(operation)}`),
    `\nWhat happened:`,
    ...historyOf(outcome),
    ...outcome.violations.map(({ rule, text }) => `\n${rule}: ${text}`),
    `\nAgain: npm run sim -- --replay ${script.seed}\n`,
  ].join('\n');
}

/** The history up to the violation, a line an event. */
export function historyOf({ events, violations }: Outcome): string[] {
  const end = (violations[0]?.at ?? events.length - 1) + 1;
  const start = Math.max(0, end - historyLinesMax);
  const lines = events.slice(start, end).map((event, at) => lineOf(event, start + at));
  return start > 0 ? [`  (${start} events before)`, ...lines] : lines;
}

function lineOf({ fact, run, ms }: Event, at: number): string {
  const { kind, ...rest } = fact;
  const text = inspect(rest, { breakLength: Infinity, depth: 6, compact: true });
  return `  ${at} [start ${run}, ${ms.toFixed(2)} ms] ${kind} ${text.slice(0, lineCharsMax)}`;
}
