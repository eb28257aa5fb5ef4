import type { Partition } from '../../../broker/index.ts';
import { whenDurable } from './when-durable.ts';
import { offsetOfSequence, partitionOfSequence, sequenceOf } from './sequence.ts';
import type { Stream } from './stream.ts';
import { requiredLevel } from './stream-features.ts';
import { shownMetadata } from './names.ts';
import { timeText, zeroTime } from './time.ts';
import type { Context } from './context.ts';

/** The most subjects in one STREAM.INFO answer. */
export const subjectDetailsMax = 100_000;

/** The most sequences that `deleted_details` lists, so that the size of an answer is bounded. */
const deletedDetailsMax = 100_000;

export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly first_ts: string;
  readonly last_seq: number;
  readonly last_ts: string;
  readonly num_subjects?: number;
  readonly subjects?: Readonly<globalThis.Record<string, number>>;
  readonly num_deleted?: number;
  readonly deleted?: readonly number[];
  readonly consumer_count: number;
}

export interface StreamInfoOptions {
  readonly deletedDetails?: boolean;
  /** Names the server as the leader of the cluster: only STREAM.INFO does. */
  readonly cluster?: boolean;
}

/**
 * The members of a StreamInfo, as in the answers of STREAM.INFO, CREATE, UPDATE and LIST. Resolves when the
 * messages that it counts are on disk.
 */
export async function streamInfo(
  context: Context,
  stream: Stream,
  options: StreamInfoOptions = {},
): Promise<object> {
  const { config, topic } = stream;
  return {
    config: { ...config, metadata: shownMetadata(config.metadata, requiredLevel(config), context.server) },
    created: timeText(topic.createdMs),
    state: await streamState(context, stream, options),
    ...(options.cluster && { cluster: { leader: context.server.name } }),
    ts: timeText(context.clock.now()),
  };
}

async function streamState(
  context: Context,
  stream: Stream,
  options: StreamInfoOptions,
): Promise<StreamState> {
  await account(stream);
  const partitions = stream.topic.partitions.opened;
  let messages = 0;
  let bytes = 0;
  let subjects = 0;
  let deleted = 0;
  let lastMs = 0;
  for (const partition of partitions) {
    messages += partition.count;
    bytes += partition.bytes;
    subjects += partition.keyCount;
    deleted += partition.deletedCount;
    lastMs = Math.max(lastMs, partition.lastTimestampMs);
  }
  const last = lastPublished(partitions);
  const everPublished = last > 0;
  const state: StreamState = {
    messages,
    bytes,
    first_seq: everPublished ? firstSequence(partitions, messages) : 0,
    first_ts: zeroTime,
    last_seq: last,
    last_ts: everPublished && lastMs > 0 ? timeText(lastMs) : zeroTime,
    ...(subjects > 0 ? { num_subjects: subjects } : {}),
    ...(deleted > 0 ? { num_deleted: deleted } : {}),
    ...(deleted > 0 && options.deletedDetails ? { deleted: deletedSequences(partitions) } : {}),
    consumer_count: stream.topic.groups.size,
  };
  await whenDurable(context, stream.topic);
  const firstMs = messages === 0 ? undefined : await firstTimestampMs([...partitions]);
  return firstMs === undefined ? state : { ...state, first_ts: timeText(firstMs) };
}

/**
 * Runs the pending accounting: until then, messages removed just before may still count under their subject.
 */
export async function account(stream: Stream): Promise<void> {
  for (const { accounting } of stream.topic.partitions.opened.slice())
    if (accounting.size > 0) await accounting.run();
}

/** The highest sequence ever used; 0 if there was none. */
function lastPublished(partitions: readonly Partition[]): number {
  let last = 0;
  for (const partition of partitions) {
    if (partition.nextOffset > 0) last = sequenceOf(partition.index, partition.nextOffset - 1);
  }
  return last;
}

/** The lowest live sequence; one past the last if there is none. */
function firstSequence(partitions: readonly Partition[], messages: number): number {
  if (messages === 0) return lastPublished(partitions) + 1;
  for (const partition of partitions) {
    if (partition.count > 0) return sequenceOf(partition.index, partition.firstOffset);
  }
  return 0;
}

async function firstTimestampMs(partitions: readonly Partition[]): Promise<number | undefined> {
  let first: number | undefined;
  for (const partition of partitions) {
    const ms = partition.count > 0 ? await partition.firstTimestampMs() : undefined;
    if (ms !== undefined && (first === undefined || ms < first)) first = ms;
  }
  return first;
}

function deletedSequences(partitions: readonly Partition[]): number[] {
  const sequences: number[] = [];
  for (const partition of partitions) {
    for (const [from, to] of partition.deletedRuns()) {
      for (let offset = from; offset < to; offset++) {
        if (sequences.length >= deletedDetailsMax) return sequences;
        sequences.push(sequenceOf(partition.index, offset));
      }
    }
  }
  return sequences;
}

/** The numbers of live messages of subjects that match `filter`, sorted by subject. */
export function subjectCounts(stream: Stream, filter: string): [subject: string, count: number][] {
  const counts = new Map<string, number>();
  for (const partition of stream.topic.partitions.opened) {
    for (const [key, { count }] of partition.keys(filter)) {
      const subject = stream.subjectOfKey(key);
      counts.set(subject, (counts.get(subject) ?? 0) + count);
    }
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The number of live messages from a sequence on, without reading them. */
export function liveFrom(stream: Stream, sequence: number): number {
  const from = partitionOfSequence(sequence);
  let live = 0;
  for (const partition of stream.topic.partitions.opened) {
    if (partition.index < from) continue;
    live += partition.liveFrom(partition.index === from ? offsetOfSequence(sequence) : 0);
  }
  return live;
}
