import type { Header, Record } from '../../log/index.ts';
import { rfc3339, type Clock } from '../../util/index.ts';
import {
  deadLetterBytesDefault,
  type DeadLetterCause,
  type DeadLetterLimits,
  type GroupDeadLetterCause,
} from './dead-letter-policy.ts';
import { BrokerError } from '../errors.ts';
import type { BrokerEvent } from '../events.ts';
import type { Group, Topic } from '../model.ts';
import { recordOf } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { ResolvedPolicy } from './resolved-policy.ts';
import type { TopicOptions } from '../topics/topic-config.ts';

/** A topic that can take dead letters. */
export interface DeadLetterTopic extends Topic {
  /** Why its limits do not allow the dead letter; undefined if they do. */
  refusalOfLetter(record: Record): BrokerError | undefined;
  /** Appends a dead letter that it does not refuse; its priority, as far as the topic has such levels. */
  takeLetter(record: Record, priority: number): void;
}

/** The services that the broker offers to dead letters. */
export interface DeadLetterHost {
  readonly clock: Clock;
  topic(name: string): DeadLetterTopic | undefined;
  /** Returns the topic of that name, or defines it in the open commit. */
  ensureTopic(options: TopicOptions): DeadLetterTopic;
  /** A dead-letter route by name, if a protocol registered it. */
  deadLetterRoute(name: string): DeadLetterRoute | undefined;
  emit(event: BrokerEvent): void;
}

/**
 * Additional headers of a dead letter: its origin and cause. The values are text, numbers in decimal, times
 * in RFC 3339. A message that left its topic by itself has no group.
 */
export const DeadLetterHeader = {
  topic: 'Pillarbox-Dead-Letter-Topic',
  group: 'Pillarbox-Dead-Letter-Group',
  partition: 'Pillarbox-Dead-Letter-Partition',
  offset: 'Pillarbox-Dead-Letter-Offset',
  key: 'Pillarbox-Dead-Letter-Key',
  priority: 'Pillarbox-Dead-Letter-Priority',
  cause: 'Pillarbox-Dead-Letter-Cause',
  deliveries: 'Pillarbox-Dead-Letter-Deliveries',
  firstTime: 'Pillarbox-Dead-Letter-First-Time',
  time: 'Pillarbox-Dead-Letter-Time',
} as const;

/** The prefix of their names. */
export const deadLetterPrefix = 'Pillarbox-Dead-Letter-';

/** A message on its way to dead-letter topics, with the cause. */
export interface LeavingMessage {
  readonly topic: Topic;
  /** The group that gave it up; undefined if it leaves its topic. */
  readonly group: Group | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly value: Uint8Array | null;
  readonly priority: number;
  readonly cause: DeadLetterCause;
  /** The cause in full, as it is stored with the dead letter. */
  readonly reason: string;
  readonly deliveries: number;
  /** The time of its first delivery; its timestamp if there was none, or if its time is not known. */
  readonly firstMs: number;
}

/**
 * Returns the topics that get a dead letter; with none, it is dropped. Called in the synchronous run that
 * moves it.
 */
export type DeadLetterRoute = (message: LeavingMessage) => readonly DeadLetterTopic[];

/**
 * Appends a dead letter to all topics of its policy, inside the open commit, and creates those that the
 * policy names and that do not exist. Returns these topics. If one of them refuses it, returns that refusal,
 * and none of them has it.
 */
export function appendDeadLetter(
  host: DeadLetterHost,
  policy: ResolvedPolicy,
  message: LeavingMessage,
): readonly DeadLetterTopic[] | BrokerError {
  const topics = destinations(host, policy, message);
  if (topics instanceof BrokerError) return topics;
  const records: Record[] = [];
  for (const topic of topics) {
    const record = letterRecord(host, topic, message);
    const refusal = topic.refusalOfLetter(record);
    if (refusal) return refusal;
    records.push(record);
  }
  for (const [at, topic] of topics.entries()) topic.takeLetter(records[at]!, message.priority);
  return topics;
}

function destinations(
  host: DeadLetterHost,
  { to, limits }: ResolvedPolicy,
  message: LeavingMessage,
): readonly DeadLetterTopic[] | BrokerError {
  if (!('route' in to))
    return [...new Set(to)].map(
      (name) => host.topic(name) ?? host.ensureTopic(letterTopic(name, message.topic, limits)),
    );
  const route = host.deadLetterRoute(to.route);
  if (route) return [...new Set(route(message))].filter((topic) => !topic.isDeleted);
  const problem = `There is no route "${to.route}" for dead letters of topic "${message.topic.name}": switch on the protocol that brings it.`;
  return new BrokerError('not-allowed', problem, { topic: message.topic.name });
}

/**
 * The options of a dead-letter topic: the limits of the policy, or as much room as the origin, and at least 1
 * GiB.
 */
function letterTopic(name: string, origin: Topic, limits: DeadLetterLimits | undefined): TopicOptions {
  const bytesMax = Math.max(origin.config.bytesMax ?? 0, deadLetterBytesDefault);
  return { name, keyState: true, dedupeWindowMs: 0, ...(limits ?? { bytesMax }) };
}

function letterRecord(host: DeadLetterHost, topic: Topic, message: LeavingMessage): Record {
  const timestampMs = host.clock.now();
  const headers: Header[] = [
    ...message.headers,
    header(DeadLetterHeader.topic, message.topic.name),
    ...(message.group ? [header(DeadLetterHeader.group, message.group.name)] : []),
    header(DeadLetterHeader.partition, String(message.partition)),
    header(DeadLetterHeader.offset, String(message.offset)),
    { name: DeadLetterHeader.key, value: message.key },
    ...(message.priority > 0 ? [header(DeadLetterHeader.priority, String(message.priority))] : []),
    header(DeadLetterHeader.cause, message.reason),
    header(DeadLetterHeader.deliveries, String(message.deliveries)),
    header(DeadLetterHeader.firstTime, rfc3339(message.firstMs)),
    header(DeadLetterHeader.time, rfc3339(timestampMs)),
  ];
  return recordOf({ key: topic.name, headers, value: message.value, timestampMs });
}

/** A message that a group gave up, on its way to the dead-letter topics of its policy. */
export interface GivenUp {
  readonly group: Group;
  readonly partition: Partition;
  readonly offset: number;
  readonly deliveries: number;
  /** The number of its last delivery in the group. */
  readonly sequence: number;
  /** The time of its first delivery; 0 if that was before the last restart. */
  readonly firstDeliveredMs: number;
  readonly policy: ResolvedPolicy;
  readonly cause: GroupDeadLetterCause;
  /** The cause in full. */
  readonly reason: string;
  /** Whether it is still pending in the group. */
  isPending(): boolean;
  /** Called when it has been moved. `isLetter`: whether dead-letter topics have it now. */
  moved(isLetter: boolean): void;
}

/**
 * Moves a message that was given up to the dead-letter topics of its policy, and calls `moved` in the same
 * synchronous run, so that the append and the ack of the origin are one commit.
 *
 * Rejects if the message cannot be read or a dead-letter topic refuses it; then nothing has changed. If the
 * message no longer exists, nothing is moved, and `moved` is called all the same.
 */
export async function deadLetter(host: DeadLetterHost, givenUp: GivenUp): Promise<void> {
  const { group, partition, offset, deliveries, sequence, firstDeliveredMs, policy, cause, reason } = givenUp;
  const message = await partition.get(offset);
  if (!givenUp.isPending()) return;
  let topics: readonly Topic[] = [];
  if (message) {
    const { key, headers, value, timestampMs } = message;
    const appended = appendDeadLetter(host, policy, {
      topic: group.topic,
      group,
      partition: partition.index,
      offset,
      key,
      headers,
      value,
      priority: partition.levels?.of(offset) ?? 0,
      cause,
      reason,
      deliveries,
      firstMs: firstDeliveredMs === 0 ? timestampMs : firstDeliveredMs,
    });
    if (appended instanceof BrokerError) throw appended;
    topics = appended;
  }
  givenUp.moved(topics.length > 0);
  for (const { name } of topics)
    host.emit({
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

/** The contents of a dead letter's headers, or undefined if the message is not a dead letter. */
export interface DeadLetterOrigin {
  readonly topic: string;
  /** Empty if it left its topic by itself. */
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

/** Whether a message was a dead letter of that topic before, even if it passed other topics since. */
export function wasDeadLetterOf(headers: readonly Header[], topic: string): boolean {
  return headers.some(
    ({ name, value }) =>
      name === DeadLetterHeader.topic && value !== null && Buffer.from(value).toString('utf8') === topic,
  );
}

function header(name: string, text: string): Header {
  return { name, value: Buffer.from(text, 'utf8') };
}
