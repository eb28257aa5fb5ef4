import { cronLines } from './cron-times.ts';
import { Choices } from './random-choice.ts';
import type { Action, Operation, PlannedMessage, Script } from './script.ts';

/** Actions on messages that wait for their time, and on schedules. */
export type LaterAction =
  | {
      readonly kind: 'delayed';
      readonly topic: string;
      readonly what: 'move' | 'cancel' | 'publish';
      /** Which of the topic's delayed messages so far, as a share of their list in [0, 1). */
      readonly pick: number;
      /** So many of them, from there on. */
      readonly count: number;
      /** Of a move: the new time, from now. */
      readonly delayMs: number;
    }
  | {
      readonly kind: 'schedule';
      readonly name: string;
      readonly topic: string;
      /** Each run publishes this one. */
      readonly messages: readonly PlannedMessage[];
      readonly everyMs: number;
      /** Instead of `everyMs`: one of `cronLines`. */
      readonly cron?: string;
      readonly count?: number;
      /** Its end, from now. */
      readonly endMs?: number;
      readonly jitterMs?: number;
      readonly missed: 'once' | 'all' | 'skip';
    }
  | {
      readonly kind: 'control-schedule';
      readonly name: string;
      readonly what: 'pause' | 'resume' | 'run' | 'delete';
    };

/** Ids of messages, far from those of the rest of the script. */
const firstId = 1_000_000;
const topics = ['orders', 'orders', 'jobs', 'events'];
const names = ['hourly', 'nightly', 'ping'];

/** The same script with messages for later in between, and what clients do with them. */
export function withLater(script: Script): Script {
  const c = new Choices(script.seed * 31 + 17);
  const operations = [...script.operations];
  let id = firstId;
  let turn = 0;
  const message = (): PlannedMessage => ({
    id: ++id,
    key: c.of(['k.1', 'l.1', null]),
    bytes: 20,
    isBare: true,
  });
  const action = (): Action => {
    const kind = c.weighted({ publish: 4, delayed: 5, schedule: 3, control: 3 });
    const topic = c.of(topics);
    const name = c.of(names);
    switch (kind) {
      case 'publish': {
        const delayMs = c.of([300, 2000, 10_000, 40_000]);
        const messages = Array.from({ length: c.between(1, 4) }, () => ({ ...message(), delayMs }));
        return { kind, topic, messages };
      }
      case 'delayed': {
        const what = c.of(['move', 'move', 'cancel', 'publish'] as const);
        const delayMs = c.of([0, 50, 1000, 20_000]);
        return { kind, topic, what, pick: c.random.next(), count: c.between(1, 3), delayMs };
      }
      case 'schedule': {
        const everyMs = c.of([1000, 5000, 20_000]);
        return {
          kind,
          name,
          topic,
          messages: [message()],
          everyMs,
          ...(c.percent(30) ? { count: c.between(1, 4) } : {}),
          ...(c.percent(20) ? { endMs: c.between(1000, 40_000) } : {}),
          ...(c.percent(30) ? { jitterMs: c.between(1, 900) } : {}),
          missed: c.of(['once', 'all', 'skip'] as const),
        };
      }
      default:
        return { kind: 'control-schedule', name, what: c.of(['pause', 'resume', 'run', 'delete'] as const) };
    }
  };
  // In every third of these lives. A source of its own, so that the rest of each seed stays the same.
  const crons = new Choices(script.seed ^ 0xc407);
  const byClock = (planned: Action): Action => {
    if (planned.kind !== 'schedule' || script.seed % 3 !== 0 || !crons.percent(70)) return planned;
    return { ...planned, cron: crons.of(cronLines).cron };
  };
  for (let left = c.between(8, 40); left > 0; left--) {
    const step = {
      turn: script.seed * 1000 + 500 + turn++,
      steps: c.percent(30) ? -1 : c.between(0, 20),
      ...(c.percent(40) ? { sync: true } : {}),
    };
    const operation: Operation = { ...byClock(action()), ...step };
    operations.splice(c.between(1, operations.length), 0, operation);
    if (c.percent(40))
      operations.splice(c.between(1, operations.length), 0, {
        kind: 'wait',
        ms: c.of([100, 1000, 6000]),
        turn: script.seed * 1000 + 500 + turn++,
        steps: -1,
      });
  }
  return { ...script, operations };
}
