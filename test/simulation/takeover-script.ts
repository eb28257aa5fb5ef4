import { Choices } from './random-choice.ts';
import type { Operation, Script } from './script.ts';

/** Ids of messages, far from those of the rest of the script. */
const firstId = 3_000_000;

/**
 * The same script on machines where the lock does not reach back over a power loss, with starts that die as
 * they take the directory over or just after it. It has a source of chance of its own, so that the rest of
 * each seed stays the same.
 */
export function withTakeovers(script: Script): Script {
  const c = new Choices(script.seed ^ 0x7a4e);
  const operations = [...script.operations];
  let id = firstId;
  let turn = 700;
  const step = (steps: number): { turn: number; steps: number; sync: true } => ({
    turn: script.seed * 1000 + turn++,
    steps,
    sync: true,
  });
  /** A takeover that dies, what its successor acknowledges, and the power goes. */
  const scene = (): Operation[] => {
    const again = Array.from({ length: c.between(1, 2) }, () => c.between(40, 200));
    const crash = { kind: 'crash', power: true, downMs: c.of([1, 1000]), look: c.percent(30) } as const;
    const message = (): Operation => ({
      kind: 'publish',
      topic: c.of(['orders', 'orders', 'jobs']),
      messages: [{ id: ++id, key: c.of(['k.1', null]), bytes: c.between(0, 2000), producer: 'takeover' }],
      ...step(-1),
    });
    const messages = Array.from({ length: c.between(0, 2) }, message);
    return [{ ...crash, again, ...step(0) }, ...messages, { ...crash, again: [], ...step(0) }];
  };
  // Clients of doors name their topics, and answer for their messages, by themselves.
  if (script.door === undefined || script.door === 'nats')
    operations.splice(c.between(1, operations.length), 0, ...scene());
  return { ...script, movesOn: true, operations };
}
