import { recordOf, type Broker, type PublishToAllListener } from '../../src/broker/index.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { codeOf } from './error-code.ts';
import type { History } from './history.ts';
import { keyOf } from './keys.ts';
import { contentOf } from './message.ts';
import type { Action } from './script.ts';

/**
 * Publishes one message to several topics, of those that exist. It is recorded as a publish for each, and one
 * answer.
 */
export function publishToAll(
  broker: Broker,
  history: History,
  clock: SimulatedClock,
  { topics, messages, mode }: Extract<Action, { kind: 'publish-to-all' }>,
): void {
  const [first] = messages;
  if (first === undefined) return;
  const { delayMs, dedupeId } = first;
  const dueMs = delayMs === undefined ? undefined : clock.steady() + delayMs;
  const idOf = new Map(
    topics.flatMap((name, at) => {
      const topic = broker.topic(name);
      return topic ? [[topic, messages[at]!] as const] : [];
    }),
  );
  if (idOf.size === 0) return;
  for (const [topic, plan] of idOf)
    history.add({
      kind: 'publish',
      topic: keyOf(topic),
      plan,
      toAll: mode,
      ...(dueMs === undefined ? {} : { dueMs }),
    });
  const ids = Array.from(idOf.values(), ({ id }) => id);
  const listener: PublishToAllListener<undefined> = {
    published: (_, refusals) => {
      const refused = refusals.map(({ topic, error }) => ({ id: idOf.get(topic)!.id, code: codeOf(error) }));
      history.add({
        kind: 'published-to-all',
        ids: ids.filter((id) => !refused.some((other) => other.id === id)),
        refusals: refused,
      });
    },
    refused: (_, error) => void history.add({ kind: 'refused-by-all', ids, code: codeOf(error) }),
  };
  const options = {
    ...(dedupeId === undefined ? {} : { dedupeId }),
    ...(delayMs === undefined ? {} : { deliverAtMs: clock.now() + delayMs }),
  };
  broker.publishToAll([...idOf.keys()], recordOf(contentOf(first)), options, mode, listener, undefined);
}
