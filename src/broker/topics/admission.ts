import type { Batch, Record } from '../../log/index.ts';
import type { Budgets } from '../budgets.ts';
import { topicError, type BrokerError } from '../errors.ts';
import type { KeyState } from '../partitions/key-index.ts';
import { recordBytes } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Deduplication } from './deduplication.ts';
import type { PublishOptions } from './publishes.ts';
import type { UniqueMessage } from './unique-keys.ts';
import type { TopicConfig } from './topic-config.ts';

/** The part of a topic that admission uses. */
export interface AdmittingTopic {
  readonly name: string;
  readonly config: TopicConfig;
  readonly deduplication: Deduplication;
  readonly uniqueKeys: { has(key: string): boolean };
}

/** The services that the broker offers to admission. */
export interface AdmissionHost {
  readonly budgets: Budgets;
  /** Forgets expired dedupe ids and producers, in all topics. */
  forgetExpired(): void;
}

/** The value size that fits the log's largest record, with a MiB to spare for key and headers. */
const valueBytesLimit = 63 * 1024 * 1024;

/** The decision of a topic about a publish, made before anything changes; see `MessageIntake.admit`. */
export type Admission =
  | { readonly kind: 'refused'; readonly error: BrokerError }
  /** The dedupe id was published before, with this offset. */
  | { readonly kind: 'duplicate'; readonly partition: Partition; readonly offset: number }
  /**
   * The publish waits for room, behind other waiting publishes, or (`isKnown` false) for a read that its
   * expectation needs.
   */
  | {
      readonly kind: 'waits';
      readonly partition: Partition;
      readonly isKnown: boolean;
      /** Why there is no room, if the publish waits for room. */
      readonly full: BrokerError | undefined;
    }
  | Ignored
  | Accepted;

/** A message of the publish's unique key stands in its way. */
export interface Ignored {
  readonly kind: 'ignored';
  readonly partition: Partition;
  readonly by: UniqueMessage;
  readonly dedupeId: string | undefined;
}

export interface Accepted {
  readonly kind: 'accepted';
  readonly partition: Partition;
  readonly key: string;
  readonly options: PublishOptions | undefined;
  readonly dedupeId: string | undefined;
  /** The message of its unique key that it replaces. */
  readonly earlier: UniqueMessage | undefined;
}

/** Why the log cannot store a record, whatever the topic's limits are; undefined if it can. */
export function refusalOfValue(topic: AdmittingTopic, record: Record): BrokerError | undefined {
  if (record.valueEnd - record.valueStart <= valueBytesLimit) return undefined;
  const what = `takes values of up to ${valueBytesLimit} bytes`;
  return topicError(topic, 'message-too-large', what, { limit: valueBytesLimit });
}

/**
 * Why a topic refuses a publish for its kind (topic sealed, message too large) or for a failed expectation;
 * undefined if it does not.
 */
export function refusalOfMessage(
  topic: AdmittingTopic,
  record: Record,
  options: PublishOptions | undefined,
  partition: Partition,
  key: string,
): BrokerError | undefined {
  const { messageBytesMax, sealed } = topic.config;
  if (sealed) return topicError(topic, 'not-allowed', 'is sealed');
  const tooLarge = refusalOfValue(topic, record);
  if (tooLarge) return tooLarge;
  if (messageBytesMax !== undefined) {
    const bytes = recordBytes(record);
    if (bytes > messageBytesMax) {
      const what = `takes messages of up to ${messageBytesMax} bytes, not ${bytes}`;
      return topicError(topic, 'message-too-large', what, { limit: messageBytesMax });
    }
  }
  if (!options) return undefined;
  return refusalOfPriority(topic, options) ?? failedExpectation(topic, options, partition, key);
}

function refusalOfPriority(topic: AdmittingTopic, { priority }: PublishOptions): BrokerError | undefined {
  if (priority === undefined || priority === 0) return undefined;
  const { priorities = 1 } = topic.config;
  if (Number.isInteger(priority) && priority > 0 && priority < priorities) return undefined;
  const what =
    priorities === 1
      ? `has no priorities, so it takes no message of priority ${priority}: set its priorities`
      : `takes priorities 0 to ${priorities - 1}, not ${priority}`;
  return topicError(topic, 'message-invalid', what, { limit: priorities - 1 });
}

function failedExpectation(
  topic: AdmittingTopic,
  options: PublishOptions,
  partition: Partition,
  key: string,
): BrokerError | undefined {
  const { expectedLastDedupeId, expectedLastOffset, expectedLastKeyOffset, expectedLastKey } = options;
  const lastOffset = partition.nextOffset - 1;
  const lastId = topic.deduplication.lastIdAt(partition.index, lastOffset);
  if (expectedLastDedupeId !== undefined && expectedLastDedupeId !== (lastId ?? '')) {
    return topicError(topic, 'wrong-last-dedupe-id', `has last dedupe id "${lastId ?? ''}"`, {
      lastDedupeId: lastId,
    });
  }
  if (expectedLastOffset !== undefined && expectedLastOffset !== lastOffset) {
    return topicError(topic, 'wrong-last-offset', `has last offset ${lastOffset}`, { lastOffset });
  }
  if (expectedLastKeyOffset !== undefined) {
    const last = lastOffsetOfKey(partition, expectedLastKey, key);
    if (last !== expectedLastKeyOffset) {
      return topicError(topic, 'wrong-last-key-offset', `has last offset ${last} for that key`, {
        lastOffset: last,
      });
    }
  }
  return undefined;
}

/** Whether the last message of the expected key is known without reading the log. */
export function knowsExpected(
  partition: Partition,
  { expectedLastKeyOffset, expectedLastKey }: PublishOptions,
  key: string,
): boolean {
  if (expectedLastKeyOffset === undefined || !partition.keyIndex) return true;
  if (expectedLastKey === undefined) {
    const state = partition.keyIndex.get(key);
    return !state || knowsLast(partition, state);
  }
  for (const [, state] of partition.keys(expectedLastKey)) if (!knowsLast(partition, state)) return false;
  return true;
}

/** If the last message of a key was removed, only reading the log finds the last one left. */
function knowsLast(partition: Partition, { last, lastStale }: KeyState): boolean {
  return !lastStale && partition.isLive(last);
}

/** The last live offset of the key or pattern, as far as it is known; -1 if there is none. */
function lastOffsetOfKey(partition: Partition, pattern: string | undefined, key: string): number {
  if (pattern === undefined) {
    const state = partition.keyIndex?.get(key);
    return state && partition.isLive(state.last) ? state.last : -1;
  }
  let last = -1;
  for (const [, state] of partition.keys(pattern)) {
    if (state.last > last && partition.isLive(state.last)) last = state.last;
  }
  return last;
}

/**
 * Why a topic has no room for a publish; undefined if it has room, or will make room by dropping its oldest
 * messages.
 */
export function refusalOfRoom(
  topic: AdmittingTopic,
  record: Record,
  partition: Partition,
  key: string,
): BrokerError | undefined {
  const { messagesMax, bytesMax, messagesPerKeyMax, overflow, overflowPerKey } = topic.config;
  if (messagesPerKeyMax !== undefined) {
    partition.accounting.accountKey(key);
    const count = partition.keyIndex?.get(key)?.count ?? 0;
    if (count >= messagesPerKeyMax) {
      if (overflowPerKey === 'reject') {
        return topicError(topic, 'key-full', `holds ${count} messages of that key`, {
          limit: messagesPerKeyMax,
        });
      }
      return undefined; // the key's oldest message is dropped: the topic does not grow
    }
  }
  if (overflow === 'drop-oldest') return undefined;
  if (messagesMax !== undefined && partition.count >= messagesMax) {
    return topicError(topic, 'topic-full', `holds ${partition.count} messages`, { limit: messagesMax });
  }
  if (bytesMax !== undefined && partition.bytes + recordBytes(record) > bytesMax) {
    return topicError(topic, 'topic-bytes-full', `holds ${partition.bytes} bytes`, { limit: bytesMax });
  }
  return undefined;
}

/**
 * Why a topic has no room for a complete batch. Publishers of batches do not wait in the broker: they are
 * refused, and try again.
 */
export function refusalOfBatchRoom(
  topic: AdmittingTopic,
  partition: Partition,
  batch: Batch,
): BrokerError | undefined {
  const { messagesMax, bytesMax, overflow } = topic.config;
  if (overflow === 'drop-oldest') return undefined;
  if (messagesMax !== undefined && partition.count + batch.count > messagesMax)
    return topicError(topic, 'topic-full', `holds ${partition.count} messages`, { limit: messagesMax });
  if (bytesMax !== undefined && partition.bytes + batch.bytes > bytesMax)
    return topicError(topic, 'topic-bytes-full', `holds ${partition.bytes} bytes`, { limit: bytesMax });
  return undefined;
}

/**
 * Why the broker has no memory for a message's new key, unique key, dedupe id or delivery time; undefined if
 * it has. `earlier`: the message of its unique key that it replaces.
 */
export function refusalOfBudget(
  topic: AdmittingTopic,
  host: AdmissionHost,
  options: PublishOptions | undefined,
  partition: Partition,
  key: string,
  earlier: UniqueMessage | undefined,
): BrokerError | undefined {
  const { budgets } = host;
  if (partition.keyIndex && budgets.isFull('keys') && !partition.keyIndex.get(key))
    return budgets.refusal('keys');
  if (options?.priority !== undefined && options.priority > 0 && budgets.isFull('prioritized'))
    return budgets.refusal('prioritized');
  if (options?.deliverAtMs !== undefined && earlier?.state !== 'delayed' && budgets.isFull('delayed'))
    return budgets.refusal('delayed');
  if (options?.ttlMs !== undefined && budgets.isFull('expiring')) return budgets.refusal('expiring');
  if (options?.unique !== undefined && budgets.isFull('uniqueKeys')) {
    host.forgetExpired();
    if (budgets.isFull('uniqueKeys') && !topic.uniqueKeys.has(options.unique.key))
      return budgets.refusal('uniqueKeys');
  }
  if (options?.dedupeId === undefined || topic.config.dedupeWindowMs === 0) return undefined;
  if (budgets.isFull('dedupeIds')) host.forgetExpired();
  return budgets.isFull('dedupeIds') ? budgets.refusal('dedupeIds') : undefined;
}

/** The same for a complete batch: its producer, and its keys. */
export function refusalOfBatchBudget(
  host: AdmissionHost,
  partition: Partition,
  batch: Batch,
  newKeys: () => number,
): BrokerError | undefined {
  const { budgets } = host;
  if (partition.keyIndex && budgets.used('keys') + batch.count > budgets.limit('keys')) {
    const count = newKeys();
    const refusal = count > 0 ? budgets.refusal('keys', count) : undefined;
    if (refusal) return refusal;
  }
  if (batch.producerId < 0 || partition.producers.knows(batch.producerId)) return undefined;
  if (budgets.isFull('producers')) host.forgetExpired();
  return budgets.isFull('producers') ? budgets.refusal('producers') : undefined;
}
