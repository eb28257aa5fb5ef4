import type { Uuid } from '../../../../wire/kafka/index.ts';

/** An assignment maps topic ids to sets of partitions. It has no topic without partitions. */
export type Assignment = ReadonlyMap<Uuid, ReadonlySet<number>>;

export type MutableAssignment = Map<Uuid, Set<number>>;

export const noPartitions: Assignment = new Map();

export interface TopicPartitions {
  readonly topicId: Uuid;
  readonly partitions: readonly number[];
}

export function add(assignment: MutableAssignment, topicId: Uuid, partition: number): void {
  const partitions = assignment.get(topicId);
  if (partitions) partitions.add(partition);
  else assignment.set(topicId, new Set([partition]));
}

export function has(assignment: Assignment, topicId: Uuid, partition: number): boolean {
  return assignment.get(topicId)?.has(partition) === true;
}

export function* each(assignment: Assignment): Iterable<readonly [topicId: Uuid, partition: number]> {
  for (const [topicId, partitions] of assignment)
    for (const partition of partitions) yield [topicId, partition];
}

export function select(
  assignment: Assignment,
  wanted: (topicId: Uuid, partition: number) => boolean,
): MutableAssignment {
  const selected: MutableAssignment = new Map();
  for (const [topicId, partition] of each(assignment))
    if (wanted(topicId, partition)) add(selected, topicId, partition);
  return selected;
}

export function isSubset(part: Assignment, whole: Assignment): boolean {
  for (const [topicId, partition] of each(part)) if (!has(whole, topicId, partition)) return false;
  return true;
}

export function isSame(one: Assignment, other: Assignment): boolean {
  return countOf(one) === countOf(other) && isSubset(one, other);
}

export function countOf(assignment: Assignment): number {
  let count = 0;
  for (const partitions of assignment.values()) count += partitions.size;
  return count;
}

export function fromList(list: readonly TopicPartitions[]): MutableAssignment {
  const assignment: MutableAssignment = new Map();
  for (const { topicId, partitions } of list)
    for (const partition of partitions) add(assignment, topicId, partition);
  return assignment;
}

export function toList(assignment: Assignment): TopicPartitions[] {
  return [...assignment].map(([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions].sort((a, b) => a - b),
  }));
}
