import type { Header, Record } from '../../log/index.ts';
import { rfc3339 } from '../../util/index.ts';
import { refusalOfMessage, refusalOfRoom } from '../topics/admission.ts';
import type { BrokerCore } from '../core.ts';
import {
  deadLetterBytesDefault,
  type DeadLetterCause,
  type DeadLetterLimits,
  type GroupDeadLetterCause,
  type ResolvedPolicy,
} from './dead-letter-policy.ts';
import { BrokerError } from '../errors.ts';
import { keyText } from '../partitions/filter.ts';
import type { Group } from '../groups/group.ts';
import type { GroupPartition } from '../groups/group-partition.ts';
import { recordOf } from '../partitions/message.ts';
import type { PendingEntry } from '../groups/pending.ts';
import type { Topic } from '../topics/topic.ts';
import { topicConfig, type TopicConfig } from '../topics/topic-config.ts';

/**
 * Headers that a dead letter carries besides its own: where it comes from, and why. Texts; numbers in
 * decimal, times in RFC 3339. One that left its topic by itself has no group.
 */
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

/** A message on its way to dead-letter topics, and why. */
export interface LeavingMessage {
  readonly topic: Topic;
  /** The group that gave it up; undefined: it leaves its topic. */
  readonly group: Group | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly value: Uint8Array | null;
  readonly cause: DeadLetterCause;
  /** The cause in full, as it is stored with the dead letter. */
  readonly reason: string;
  readonly deliveries: number;
  /** When it was delivered first, or published if it never was. */
  readonly firstMs: number;
}

/**
 * Says which topics get a dead letter; none: it is dropped. Called in the run that moves it, so it answers at
 * once.
 */
export type DeadLetterRoute = (message: LeavingMessage) => readonly Topic[];

/**
 * Appends a dead letter to every topic of its policy, inside the open commit; topics that are named come into
 * being with it. Returns these topics; or why one of them does not take it, and then none of them has it.
 */
export function appendDeadLetter(
  core: BrokerCore,
  policy: ResolvedPolicy,
  message: LeavingMessage,
): readonly Topic[] | BrokerError {
  const topics = destinations(core, policy, message);
  if (topics instanceof BrokerError) return topics;
  const records: Record[] = [];
  for (const topic of topics) {
    const record = letterRecord(core, topic, message);
    const refusal = refusalOfLetter(topic, record);
    if (refusal) return refusal;
    records.push(record);
  }
  for (const [at, topic] of topics.entries()) topic.appendAccepted(records[at]!, topic.partitions.at(0)!);
  return topics;
}

function destinations(
  core: BrokerCore,
  { to, limits }: ResolvedPolicy,
  message: LeavingMessage,
): readonly Topic[] | BrokerError {
  if (!('route' in to))
    return [...new Set(to)].map(
      (name) => core.topic(name) ?? core.ensureTopic(letterTopic(name, message.topic, limits)),
    );
  const route = core.deadLetterRoute(to.route);
  if (route) return [...new Set(route(message))].filter((topic) => !topic.isDeleted);
  const problem = `There is no route "${to.route}" for dead letters of topic "${message.topic.name}": switch on the protocol that brings it.`;
  return new BrokerError('not-allowed', problem, { topic: message.topic.name });
}

/**
 * A dead-letter topic has limits of its own: the policy's, or as much room as its origin, and 1 GiB at least.
 */
function letterTopic(name: string, origin: Topic, limits: DeadLetterLimits | undefined): TopicConfig {
  const bytesMax = Math.max(origin.config.bytesMax ?? 0, deadLetterBytesDefault);
  return topicConfig({ name, keyState: true, dedupeWindowMs: 0, ...(limits ?? { bytesMax }) });
}

/**
 * Limits of the topic hold for dead letters, too. A full disk does not: what was given up has its room
 * already.
 */
function refusalOfLetter(topic: Topic, record: Record): BrokerError | undefined {
  const partition = topic.partitions.at(0)!;
  const key = keyText(record);
  return (
    refusalOfMessage(topic, record, undefined, partition, key) ?? refusalOfRoom(topic, record, partition, key)
  );
}

function letterRecord(core: BrokerCore, topic: Topic, message: LeavingMessage): Record {
  const timestampMs = core.clock.now();
  const headers: Header[] = [
    ...message.headers,
    header(DeadLetterHeader.topic, message.topic.name),
    ...(message.group ? [header(DeadLetterHeader.group, message.group.name)] : []),
    header(DeadLetterHeader.partition, String(message.partition)),
    header(DeadLetterHeader.offset, String(message.offset)),
    { name: DeadLetterHeader.key, value: message.key },
    header(DeadLetterHeader.cause, message.reason),
    header(DeadLetterHeader.deliveries, String(message.deliveries)),
    header(DeadLetterHeader.firstTime, rfc3339(message.firstMs)),
    header(DeadLetterHeader.time, rfc3339(timestampMs)),
  ];
  return recordOf({ key: topic.name, headers, value: message.value, timestampMs });
}

/**
 * Moves a message that was given up to the dead-letter topics of its policy, and calls `moved` in the same
 * synchronous run: append and ack of the origin are one commit.
 *
 * Rejects when the message cannot be read, or a dead-letter topic does not take it; nothing has changed then.
 * A message that is gone has nothing to move: `moved` is called all the same.
 */
export async function deadLetter(
  core: BrokerCore,
  group: Group,
  position: GroupPartition,
  entry: PendingEntry,
  letter: {
    readonly policy: ResolvedPolicy;
    readonly cause: GroupDeadLetterCause;
    readonly reason: string;
    readonly moved: () => void;
  },
): Promise<void> {
  const { partition } = position;
  const { offset, deliveries, sequence, firstDeliveredMs } = entry;
  const message = await partition.get(offset);
  if (group.isClosed || position.pending.get(offset) !== entry) return;
  const { policy, cause, reason } = letter;
  const { topic } = group;
  let topics: readonly Topic[] = [];
  if (message) {
    const { key, headers, value, timestampMs } = message;
    const firstMs = firstDeliveredMs === 0 ? timestampMs : firstDeliveredMs;
    const where = { topic, group, partition: partition.index, offset };
    const appended = appendDeadLetter(core, policy, {
      ...where,
      key,
      headers,
      value,
      cause,
      reason,
      deliveries,
      firstMs,
    });
    if (appended instanceof BrokerError) throw appended;
    topics = appended;
    if (topics.length > 0) topic.leaving.deadLettered++;
  }
  letter.moved();
  for (const { name } of topics)
    core.emit({
      kind: 'dead-lettered',
      group,
      partition: partition.index,
      offset,
      deliveries,
      sequence,
      deadLetter: name,
      cause: reason,
    });
}

/** What the headers of a dead letter say, or undefined when it is none. */
export interface DeadLetterOrigin {
  readonly topic: string;
  /** Empty: it left its topic by itself. */
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

/** Whether a message was a dead letter of that topic before, by whatever way it came. */
export function wasDeadLetterOf(headers: readonly Header[], topic: string): boolean {
  return headers.some(
    ({ name, value }) =>
      name === DeadLetterHeader.topic && value !== null && Buffer.from(value).toString('utf8') === topic,
  );
}

function header(name: string, text: string): Header {
  return { name, value: Buffer.from(text, 'utf8') };
}
