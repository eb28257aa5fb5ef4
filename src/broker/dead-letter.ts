import type { Header } from '../log/index.ts';
import { rfc3339 } from '../util/index.ts';
import type { BrokerCore } from './core.ts';
import type { Group } from './group.ts';
import type { GroupPartition } from './group-partition.ts';
import { recordOf } from './message.ts';
import type { PendingEntry } from './pending.ts';
import { topicConfig } from './topic-config.ts';

/** Headers that a dead letter carries besides its own: where it comes from, and why. Texts; numbers in decimal, times in RFC 3339. */
export const DeadLetterHeader = {
  topic: 'Pillarbox-Dead-Letter-Topic',
  group: 'Pillarbox-Dead-Letter-Group',
  partition: 'Pillarbox-Dead-Letter-Partition',
  offset: 'Pillarbox-Dead-Letter-Offset',
  key: 'Pillarbox-Dead-Letter-Key',
  cause: 'Pillarbox-Dead-Letter-Cause',
  deliveries: 'Pillarbox-Dead-Letter-Deliveries',
  firstTime: 'Pillarbox-Dead-Letter-First-Time',
  time: 'Pillarbox-Dead-Letter-Time',
} as const;

/** What their names begin with. */
export const deadLetterPrefix = 'Pillarbox-Dead-Letter-';

/**
 * Appends a message that was given up to the group's dead-letter topic, which comes into being with it, and calls `moved` in the same
 * synchronous run: append and ack of the origin are one commit.
 *
 * Rejects when the message cannot be read. A message that is gone has nothing to move: `moved` is called all the same.
 */
export async function deadLetter(
  core: BrokerCore,
  group: Group,
  position: GroupPartition,
  entry: PendingEntry,
  letter: { readonly topic: string; readonly cause: string; readonly moved: () => void },
): Promise<void> {
  const { partition } = position;
  const message = await partition.get(entry.offset);
  if (group.isClosed || position.pending.get(entry.offset) !== entry) return;
  if (message) {
    const topic = core.ensureTopic(topicConfig({ name: letter.topic, keyState: true, dedupeWindowMs: 0 }));
    const firstMs = entry.firstDeliveredMs === 0 ? message.timestampMs : entry.firstDeliveredMs;
    const headers: Header[] = [
      ...message.headers,
      header(DeadLetterHeader.topic, group.topic.name),
      header(DeadLetterHeader.group, group.name),
      header(DeadLetterHeader.partition, String(partition.index)),
      header(DeadLetterHeader.offset, String(entry.offset)),
      { name: DeadLetterHeader.key, value: message.key },
      header(DeadLetterHeader.cause, letter.cause),
      header(DeadLetterHeader.deliveries, String(entry.deliveries)),
      header(DeadLetterHeader.firstTime, rfc3339(firstMs)),
      header(DeadLetterHeader.time, rfc3339(core.clock.now())),
    ];
    const record = recordOf({
      key: letter.topic,
      headers,
      value: message.value,
      timestampMs: core.clock.now(),
    });
    topic.appendAccepted(record, topic.partitions.at(0)!);
  }
  letter.moved();
  const { offset, deliveries, sequence } = entry;
  const { topic: deadLetterTopic, cause } = letter;
  core.emit({
    kind: 'dead-lettered',
    group,
    partition: partition.index,
    offset,
    deliveries,
    sequence,
    deadLetter: deadLetterTopic,
    cause,
  });
}

/** What the headers of a dead letter say, or undefined when it is none. */
export interface DeadLetterOrigin {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly offset: number;
  readonly cause: string;
  readonly deliveries: number;
  readonly firstTime: string;
  readonly time: string;
}

export function deadLetterOrigin(headers: readonly Header[]): DeadLetterOrigin | undefined {
  const texts = new Map<string, string>();
  for (const { name, value } of headers) {
    if (name.startsWith(deadLetterPrefix) && value !== null)
      texts.set(name, Buffer.from(value).toString('utf8'));
  }
  const topic = texts.get(DeadLetterHeader.topic);
  if (topic === undefined) return undefined;
  return {
    topic,
    group: texts.get(DeadLetterHeader.group) ?? '',
    partition: Number(texts.get(DeadLetterHeader.partition) ?? 0),
    offset: Number(texts.get(DeadLetterHeader.offset) ?? -1),
    cause: texts.get(DeadLetterHeader.cause) ?? '',
    deliveries: Number(texts.get(DeadLetterHeader.deliveries) ?? 0),
    firstTime: texts.get(DeadLetterHeader.firstTime) ?? '',
    time: texts.get(DeadLetterHeader.time) ?? '',
  };
}

function header(name: string, text: string): Header {
  return { name, value: Buffer.from(text, 'utf8') };
}
