import type { Batch, Record } from '../../log/index.ts';
import type { Budgets } from '../budgets.ts';
import { topicError, type BrokerError } from '../errors.ts';
import type { KeyState } from '../partitions/key-index.ts';
import { recordBytes } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Deduplication } from './deduplication.ts';
import type { PublishOptions } from './publishes.ts';
import type { TopicConfig } from './topic-config.ts';

/** A topic as admission knows it. */
export interface AdmittingTopic {
  readonly name: string;
  readonly config: TopicConfig;
  readonly deduplication: Deduplication;
}

/** What admission needs from the broker around it. */
export interface AdmissionHost {
  readonly budgets: Budgets;
  /** Lets dedupe ids and producers go whose time is over, in all topics. */
  forgetExpired(): void;
}

/** What fits the log's largest record, with a MiB to spare for key and headers. */
const valueBytesLimit = 63 * 1024 * 1024;

/** What a topic decides about a publish before it changes anything; see `Topic.admit`. */
export type Admission =
  | { readonly kind: 'refused'; readonly error: BrokerError }
  /** Its dedupe id was published before, with this offset. */
  | { readonly kind: 'duplicate'; readonly partition: Partition; readonly offset: number }
  /**
   * It waits for room, for publishes that wait already, or (`isKnown` false) for a look at what it expects.
   */
  | {
      readonly kind: 'waits';
      readonly partition: Partition;
      readonly isKnown: boolean;
      /** Why there is no room, if it waits for room. */
      readonly full: BrokerError | undefined;
    }
  | {
      readonly kind: 'accepted';
      readonly partition: Partition;
      readonly key: string;
      readonly options: PublishOptions | undefined;
      readonly dedupeId: string | undefined;
    };

/** Why the log cannot hold a record, whatever its topic's limits are; undefined: it can. */
export function refusalOfValue(topic: AdmittingTopic, record: Record): BrokerError | undefined {
  if (record.valueEnd - record.valueStart <= valueBytesLimit) return undefined;
  const what = `takes values of up to ${valueBytesLimit} bytes`;
  return topicError(topic, 'message-too-large', what, { limit: valueBytesLimit });
}

/** Why a topic refuses a publish for what it is (sealed, too large) or expects; undefined: it does not. */
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
  return options && failedExpectation(topic, options, partition, key);
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

/** Whether it is known, without reading, what the last message is that the publish expects something of. */
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

/** Where the last message of a key was removed, only reading tells which one is the last now. */
function knowsLast(partition: Partition, { last, lastStale }: KeyState): boolean {
  return !lastStale && partition.isLive(last);
}

/** The last live offset as far as it is known; -1 for none. */
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

/** Why a topic has no room for a publish; undefined: it has, or will make it by dropping its oldest. */
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
      return undefined; // the key's oldest goes: the topic does not grow
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
 * Why a topic has no room for a batch that came whole. Publishers of batches do not wait in the broker: they
 * are told, and try again.
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

/** Why the broker has no room for what the message would make it remember: a new key, a dedupe id, a time. */
export function refusalOfBudget(
  topic: AdmittingTopic,
  host: AdmissionHost,
  options: PublishOptions | undefined,
  partition: Partition,
  key: string,
): BrokerError | undefined {
  const { budgets } = host;
  if (partition.keyIndex && budgets.isFull('keys') && !partition.keyIndex.get(key))
    return budgets.refusal('keys');
  if (options?.deliverAtMs !== undefined && budgets.isFull('scheduled')) return budgets.refusal('scheduled');
  if (options?.dedupeId === undefined || topic.config.dedupeWindowMs === 0) return undefined;
  if (budgets.isFull('dedupeIds')) host.forgetExpired();
  return budgets.isFull('dedupeIds') ? budgets.refusal('dedupeIds') : undefined;
}

/** The same for a batch that came whole: its producer, and the keys in it. */
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
