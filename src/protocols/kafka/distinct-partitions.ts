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
