import type { TopicOptions } from '../../src/broker/index.ts';
import { Choices } from './random-choice.ts';
import type { Operation, PlannedMessage, Script } from './script.ts';

/**
 * The script of another life with unique keys and limited rates: topics limit their publishes, and messages
 * have unique keys. It has a source of chance of its own, so that the rest of each seed stays the same.
 */
export function withUniqueKeys(script: Script): Script {
  const c = new Choices(script.seed ^ 0x5eed);
  return { ...script, operations: script.operations.map((operation) => changed(c, operation)) };
}

function changed(c: Choices, operation: Operation): Operation {
  switch (operation.kind) {
    case 'create-topic':
      return { ...operation, options: limited(c, operation.options) };
    case 'define-queue':
      return { ...operation, options: limited(c, operation.options) };
    case 'publish':
      return { ...operation, messages: operation.messages.map((message) => keyed(c, message)) };
    case 'answer':
      // A message that keeps the place of another is not in the order of offsets.
      return operation.answer === 'ack-all' ? { ...operation, answer: 'ack' } : operation;
    case 'redrive': {
      const { turn, steps } = operation;
      return { kind: 'checkpoint', turn, steps }; // what is put back has no unique key
    }
    default:
      return operation;
  }
}

function limited(c: Choices, options: TopicOptions): TopicOptions {
  const rate = c.maybe(40, () => ({
    publishRate: { perSecond: c.of([2, 20, 200]), burst: c.of([1, 3, 10]) },
    overRate: c.of(['reject', 'reject', 'wait'] as const),
  }));
  return { ...options, ...rate };
}

function keyed(c: Choices, message: PlannedMessage): PlannedMessage {
  // Where publishes wait, the time of a message does not tell when it came.
  const { ttlMs: _, ...lasting } = message;
  if (!c.percent(60)) return lasting;
  const { dedupeId: __, expect: ___, rollup: ____, delayMs, ...plain } = lasting;
  const mode = c.of(['ignore', 'replace', 'replace', 'debounce', 'throttle'] as const);
  const hasWindow = mode === 'debounce' || mode === 'throttle';
  const unique = { key: c.of(['u1', 'u2', 'u3']), mode };
  // One that replaces another keeps the delay of that one.
  const delay = delayMs === undefined || mode === 'replace' ? {} : { delayMs };
  return { ...plain, ...delay, unique: hasWindow ? { ...unique, windowMs: c.of([5, 50, 500]) } : unique };
}
