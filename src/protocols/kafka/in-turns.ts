import type { KafkaSession } from './handler.ts';

/**
 * Calls `work` on one item after another, and yields to other connections whenever the turn of this one is
 * over. Stops when the connection is closed, since the results are then useless.
 */
export async function inTurns<T, R>(
  items: Iterable<T>,
  session: Pick<KafkaSession, 'rest' | 'closed'>,
  work: (item: T) => R | Promise<R>,
): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) {
    const result = work(item);
    // Awaits promises only.
    made.push(result instanceof Promise ? await result : result);
    const rest = session.rest();
    if (!rest) continue;
    await rest;
    if (session.closed) break;
  }
  return made;
}

/**
 * Starts `work` on one item after another, in turns as {@link inTurns}, and waits for all of it at the end.
 * One commit may so cover all work that is started in one turn. Rejects with the first failure.
 */
export async function beginInTurns<T>(
  items: Iterable<T>,
  session: Pick<KafkaSession, 'rest' | 'closed'>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const begun: Promise<unknown>[] = [];
  await inTurns(items, session, (item) => {
    const promise = work(item);
    promise.catch(() => undefined); // reported at the end
    begun.push(promise);
  });
  await Promise.all(begun);
}

/**
 * Partitions by topic, each once and in the order of the request, because an answer can be much longer than
 * its question.
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
