import { Choices } from './random-choice.ts';
import type { Operation, Script } from './script.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
/** None is a multiple of an interval of a schedule, so that no run has the time of another. */
const jumpsMs = [4 * secondMs + 137, minuteMs + 331, 2 * hourMs + 473, 26 * hourMs + 719];

/**
 * The same script on a machine whose wall clock is set, forward and back, while the broker is up or down. It
 * has a source of chance of its own, so that the rest of each seed stays the same.
 */
export function withJumps(script: Script): Script {
  const c = new Choices(script.seed ^ 0xc10c);
  const operations = script.operations.map(byInterval);
  let turn = 800;
  for (let left = c.between(1, 4); left > 0; left--) {
    const down = c.percent(25) ? c.of(['stop', 'crash'] as const) : undefined;
    const isBack = c.percent(50);
    // Time without a broker: a schedule may have to make up for each run in it.
    const byMs = isBack ? -c.of(jumpsMs) : c.of(down ? jumpsMs.slice(0, 2) : jumpsMs);
    const jump: Operation = {
      kind: 'set-clock',
      byMs,
      ...(down === undefined ? {} : { down }),
      turn: script.seed * 1000 + turn++,
      steps: c.percent(50) ? 0 : c.between(0, 20),
    };
    operations.splice(c.between(4, operations.length), 0, jump);
  }
  return { ...script, operations };
}

/** Which of the times of a cron expression were missed depends on the jumps: docs/schedules.md. */
function byInterval(operation: Operation): Operation {
  if (operation.kind !== 'schedule') return operation;
  const { cron: _, endMs: __, ...plain } = operation;
  return plain;
}
