import type { Receipt, Topic } from '../../src/broker/index.ts';

/** The identity of a topic in a history: one that is deleted and created again is another. */
export function keyOf(topic: Pick<Topic, 'name' | 'id' | 'createdMs'>): string {
  return `${topic.name}#${topic.id}@${topic.createdMs}`;
}

export function groupKeyOf(group: Receipt['group']): string {
  return `${keyOf(group.topic)}/${group.name}#${group.id}@${group.createdMs}`;
}
