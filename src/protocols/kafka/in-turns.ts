import type { KafkaSession } from './handler.ts';

/**
 * Calls `work` on one item after the other, and leaves the event loop to other connections whenever the turn
 * of its own is over. It stops when the connection is closed: what was made so far is of no use then.
 */
export async function inTurns<T, R>(
  items: Iterable<T>,
  session: Pick<KafkaSession, 'rest' | 'closed'>,
  work: (item: T) => R | Promise<R>,
): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) {
    const result = work(item);
    // Without waiting where there is nothing to wait for.
    made.push(result instanceof Promise ? await result : result);
    const rest = session.rest();
    if (!rest) continue;
    await rest;
    if (session.closed) break;
  }
  return made;
}

/**
 * Begins `work` on one item after the other, in turns as {@link inTurns}, and waits for all of it at the end:
 * what is begun in one turn may be done by one commit. Rejects with the first failure.
 */
export async function beginInTurns<T>(
  items: Iterable<T>,
  session: Pick<KafkaSession, 'rest' | 'closed'>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const begun: Promise<unknown>[] = [];
  await inTurns(items, session, (item) => {
    const promise = work(item);
    promise.catch(() => undefined); // heard of at the end
    begun.push(promise);
  });
  await Promise.all(begun);
}

/**
 * Partitions by topic, each once and in the order of the request: an answer can be much longer than its
 * question.
 */
export function distinctPartitions<T>(
  topics: readonly T[],
  nameOf: (topic: T) => string,
  partitionsOf: (topic: T) => readonly number[],
): Map<string, Set<number>> {
  const distinct = new Map<string, Set<number>>();
  for (const topic of topics) {
    const name = nameOf(topic);
    const known = distinct.get(name);
    if (known) for (const partition of partitionsOf(topic)) known.add(partition);
    else distinct.set(name, new Set(partitionsOf(topic)));
  }
  return distinct;
}
