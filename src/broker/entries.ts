import type { Outcome } from '../log/index.ts';
import { ByteReader, OffsetSet, type ByteWriter, type Clock, type ClockFrame } from '../util/index.ts';
import type { GroupConfig } from './groups/group-config.ts';
import type { GroupChanges } from './groups/group-changes.ts';
import type { TopicConfig } from './topics/topic-config.ts';

/**
 * Entries are the broker's state changes in the journal: a kind, the id of the changed object, and a payload.
 *
 * A checkpoint is a sequence of the same entries, which would produce the current state. So there is only one
 * way to read state back. docs/log-format.md, "Broker entries", has the grammar. Kinds are never reused; a
 * new meaning gets a new number.
 */
export const EntryKind = {
  /** id = topic; JSON {@link TopicEntry}. */
  topicDefined: 1,
  /** id = topic. */
  topicDeleted: 2,
  /** id = group; JSON {@link GroupEntry}, which includes its positions. */
  groupDefined: 3,
  /** id = group; JSON of its configuration. */
  groupConfigured: 4,
  /** id = group. */
  groupDeleted: 5,
  /** id = group; changes on one partition. */
  groupChanged: 6,
  /** id = partition; first offset and runs removed. */
  partitionChanged: 7,
  /** id = topic; one dedupe id. */
  dedupeId: 8,
  /** id = partition of the message; offset in the delay log, due time. */
  delayed: 9,
  /** id = 0; offset of a message in the delay log that was delivered or dropped. */
  undelayed: 10,
  /** id = group; offset and metadata of one partition. */
  offsetCommitted: 11,
  /** Checkpoints only. id = partition; first offset, holes, removals to account for. */
  partitionState: 12,
  /** Checkpoints only. id = partition; keys with count, first, last. */
  keyStates: 13,
  /** Checkpoints only. id = 0; the last id given out. */
  lastId: 14,
  /** id = 0; all producer ids below the number in it may have been given out. */
  producerIds: 15,
  /** Checkpoints only. id = partition; its idempotent producers. */
  producers: 16,
  /** id = producer id; JSON {@link TransactionalProducerEntry}: the whole state of a transactional id. */
  transactionalProducer: 17,
  /** id = producer id; JSON {@link TransactionEntry}: the additions to its transaction. */
  transactionGrew: 18,
  /** id = producer id: its transactional id is forgotten. */
  transactionalProducerForgotten: 19,
  /** Checkpoints only. id = partition; the offsets of its open transactions. */
  openTransactions: 20,
  /** id = 0; JSON {@link AttributeEntry}. */
  attribute: 21,
  /** id = 0; runs of offsets in the delay log that were removed because their topic was purged or deleted. */
  delayTrimmed: 22,
  /**
   * id = group; offset, epoch and metadata of one partition, if {@link offsetCommitted} cannot express it.
   */
  offsetCommittedAs: 23,
  /** id = partition; offset and due time of messages with a time to live. */
  expiries: 24,
  /** Checkpoints only. id = partition; the offsets of messages that outlive the age limit of the topic. */
  exempt: 25,
  /** id = partition; times of arrival of messages whose timestamps say something else. */
  arrivals: 26,
  /** id = partition; level and offset of one message with a priority. */
  level: 27,
  /** Checkpoints only. id = partition; its messages with a priority, by level. */
  levels: 28,
  /** id = group; a hold of the group or of one key. */
  holds: 29,
  /** id = schedule; JSON of a `ScheduleEntry`: its configuration and state. */
  scheduleDefined: 30,
  /** id = schedule. */
  scheduleDeleted: 31,
  /** id = schedule; its state after a run. */
  scheduleTicked: 32,
  /** id = partition; a unique key of its topic, with its message. */
  uniqueKey: 33,
  /** id = partition; runs of offsets of messages with unique keys that were delivered. */
  uniqueKeyFreed: 34,
  /** id = partition; offset of a message, and the place that it keeps. */
  standIn: 35,
  /** id = 0; a jump of the wall clock. */
  clockJumped: 36,
} as const;

export interface TopicEntry {
  readonly config: TopicConfig;
  readonly createdMs: number;
  /** Ids of the partitions' logs, in order. */
  readonly partitionIds: readonly number[];
  readonly unswept?: Unswept;
}

/**
 * Messages of a queue-like topic that are still to be checked, because all groups may be done with them: all
 * messages, or ranges.
 */
export type Unswept = 'all' | readonly (readonly [partition: number, from: number, to: number])[];

export interface GroupEntry {
  readonly topicId: number;
  readonly config: GroupConfig;
  readonly createdMs: number;
  readonly deliverySequence: number;
  readonly positions: readonly GroupPositionEntry[];
  /** Absent: none. */
  readonly holds?: readonly StoredHold[];
}

export interface GroupPositionEntry {
  /**
   * The partition's index; if absent, the index in the list. The group has nothing to store about partitions
   * that are not listed.
   */
  readonly partition?: number;
  readonly cursor: number;
  /** One past the highest offset that was delivered, if the cursor is further ahead. */
  readonly delivered?: number;
  readonly lag: number;
  /** Offset and number of deliveries of each pending entry, as a flat list. */
  readonly pending: readonly number[];
  /** Offset of each pending entry that consumers gave back, and how often they did, as a flat list. */
  readonly released?: readonly number[];
  /**
   * Offset of each pending entry with a deadline, the time when its wait began (wall clock, milliseconds),
   * and the length of the wait (-1: as configured for the group), as a flat list.
   */
  readonly waits?: readonly number[];
  readonly backfill?: readonly number[];
  /** Offsets not below the cursor that were delivered: an encoded offset set, in base64. */
  readonly ahead?: string;
  /** How often the position was moved; absent: never. */
  readonly moves?: number;
  readonly committed?: Committed;
}

/** The committed position of a partition (a group with committed positions). */
export interface Committed {
  /** The next offset to read. The meaning of a negative number is up to the client that committed it. */
  readonly offset: number;
  readonly metadata: string;
  /** The epoch of the log that the client read, if it sent one. */
  readonly epoch?: number;
}

export interface TransactionalProducerEntry {
  readonly transactionalId: string;
  readonly epoch: number;
  readonly timeoutMs: number;
  readonly usedMs: number;
  /** The previous producer id. */
  readonly previousId?: number;
  /** The previous epoch, if the producer asked for the current one by naming it. */
  readonly previousEpoch?: number;
  /** The outcome of the last transaction, and the identity that its producer ended it with. */
  readonly ended?: { readonly producerId: number; readonly epoch: number; readonly outcome: Outcome };
  readonly transaction?: TransactionEntry & { readonly startedMs: number };
}

export interface TransactionEntry {
  /** Partition ids. */
  readonly partitions: readonly number[];
  /** Group names under which positions may be added. */
  readonly groups: readonly string[];
  /** Group id, partition, offset, metadata, and the epoch of the log if the client sent one. */
  readonly positions: readonly (readonly [
    groupId: number,
    partition: number,
    offset: number,
    metadata: string,
    epoch?: number,
  ])[];
}

export interface AttributeEntry {
  readonly protocol: string;
  readonly name: string;
  /** Absent: the attribute is removed. */
  readonly value?: unknown;
}

/** A hold: until when, by the wall clock, and of which key; without a key, of the group. */
export interface StoredHold {
  /** 0: the hold of the group and those of all its keys end. */
  readonly untilMs: number;
  readonly key?: { readonly partition: number; readonly name: string };
}

/** A unique key, and its message. */
export interface UniqueKeyEntry {
  readonly key: string;
  /** The offset of the message; while it is delayed, its id. */
  readonly offset: number;
  readonly state: 'stored' | 'delayed' | 'delivered';
  readonly sinceMs: number;
  readonly windowMs: number;
}

/** A stored wait for an answer or for a redelivery. */
export interface StoredWait {
  /** Wall-clock time at which it began, in milliseconds; the delivery itself may be a little older. */
  readonly sinceMs: number;
  /** Undefined: as configured for the group. */
  readonly waitMs: number | undefined;
}

/** Changes of a group on one partition, as they are read back. */
export interface GroupChangedEntry {
  readonly partition: number;
  readonly cursor: number;
  readonly deliverySequence: number;
  readonly backfillLength: number;
  readonly lag: number;
  /**
   * Offsets that were delivered or held, with the number of deliveries. If an offset occurs twice, the last
   * count is valid. Offsets that are not below the cursor are ahead.
   */
  readonly pending: readonly (readonly [offset: number, deliveries: number])[];
  readonly done: readonly number[];
  /** Offsets that were given back, and how often. */
  readonly released: readonly (readonly [offset: number, released: number])[];
  /**
   * When the entry was written (wall clock), which stands for the time of the deliveries; undefined if an
   * older program wrote it.
   */
  readonly writtenMs: number | undefined;
  /** Offsets with a deadline other than the group's wait, and the time left when the entry was written. */
  readonly left: readonly (readonly [offset: number, leftMs: number])[];
}

export function readJson(payload: Uint8Array): unknown {
  return JSON.parse(Buffer.from(payload).toString('utf8'));
}

/** A position of a group with the changes for the next commit. */
export interface ChangedPosition {
  readonly partition: { readonly index: number };
  readonly cursor: number;
  readonly backfill: readonly number[];
  readonly filteredLag: number;
  readonly changes: GroupChanges;
  readonly pending: {
    /** Whole milliseconds until an entry is due; undefined if it waits for nothing. */
    leftMs(offset: number, nowMs: number): number | undefined;
  };
}

/**
 * `uvarint partition, cursor, deliverySequence, backfillLength, lag; runs entered; runs done; pairs
 * deliveries; pairs released; uvarint writtenMs; pairs left`
 */
export function writeGroupChanged(
  writer: ByteWriter,
  position: ChangedPosition,
  deliverySequence: number,
  clock: Clock,
): void {
  const { changes } = position;
  writer.uvarint(position.partition.index).uvarint(position.cursor).uvarint(deliverySequence);
  writer.uvarint(position.backfill.length).uvarint(position.filteredLag);
  writeRuns(writer, changes.entered.bounds());
  writeRuns(writer, changes.done.bounds());
  writer.uvarint(changes.deliveries.length);
  for (const number of changes.deliveries) writer.uvarint(number);
  // Without the rest, the entry has the format from before messages could be given back and had deadlines.
  if (changes.released.length === 0 && !changes.startsWaits) return;
  writer.uvarint(changes.released.length);
  for (const number of changes.released) writer.uvarint(number);
  if (!changes.startsWaits) return;
  writer.uvarint(Math.max(0, Math.floor(clock.now())));
  const nowMs = clock.monotonic();
  const left: number[] = [];
  for (const offset of changes.waits) {
    const leftMs = position.pending.leftMs(offset, nowMs);
    if (leftMs !== undefined) left.push(offset, leftMs);
  }
  writer.uvarint(left.length);
  for (const number of left) writer.uvarint(number);
}

export function readGroupChanged(payload: Uint8Array): GroupChangedEntry {
  const reader = new ByteReader(payload);
  const partition = reader.uvarint();
  const cursor = reader.uvarint();
  const deliverySequence = reader.uvarint();
  const backfillLength = reader.uvarint();
  const lag = reader.uvarint();
  const entered = readRuns(reader);
  const done = readRuns(reader);
  const pending: [offset: number, deliveries: number][] = [];
  for (let i = 0; i < entered.length; i += 2)
    for (let offset = entered[i]!; offset < entered[i + 1]!; offset++) pending.push([offset, 1]);
  const delivered = pending.length;
  for (let left = reader.uvarint(); left > 0; left -= 2) pending.push([reader.uvarint(), reader.uvarint()]);
  const released: [offset: number, released: number][] = [];
  for (let left = reader.remaining > 0 ? reader.uvarint() : 0; left > 0; left -= 2)
    released.push([reader.uvarint(), reader.uvarint()]);
  const writtenMs = reader.remaining > 0 ? reader.uvarint() : undefined;
  const left: [offset: number, leftMs: number][] = [];
  for (let numbers = writtenMs === undefined ? 0 : reader.uvarint(); numbers > 0; numbers -= 2)
    left.push([reader.uvarint(), reader.uvarint()]);
  // Held offsets are sorted in between the delivered ones.
  if (pending.length > delivered) pending.sort(([a], [b]) => a - b);
  return {
    partition,
    cursor,
    deliverySequence,
    backfillLength,
    lag,
    pending,
    done,
    released,
    writtenMs,
    left,
  };
}

/** `uvarint untilMs, partition + 1 (0: of the group); text key` */
export function writeHold(writer: ByteWriter, { untilMs, key }: StoredHold): void {
  writer.uvarint(untilMs).uvarint(key === undefined ? 0 : key.partition + 1);
  if (key !== undefined) writer.bytes(Buffer.from(key.name, 'latin1'));
}

export function readHold(payload: Uint8Array): StoredHold {
  const reader = new ByteReader(payload);
  const untilMs = reader.uvarint();
  const partition = reader.uvarint() - 1;
  if (partition < 0) return { untilMs };
  return {
    untilMs,
    key: { partition, name: Buffer.from(reader.bytes(reader.remaining)).toString('latin1') },
  };
}

/** `uvarint start; runs removed`: everything below the start is gone. */
export function writePartitionChanged(writer: ByteWriter, start: number, removed: readonly number[]): void {
  writer.uvarint(start);
  writeRuns(writer, removed);
}

/** `runs removed` */
export function writeDelayTrimmed(writer: ByteWriter, removed: readonly number[]): void {
  writeRuns(writer, removed);
}

export function readDelayTrimmed(payload: Uint8Array): readonly number[] {
  const offsets: number[] = [];
  const bounds = readRuns(new ByteReader(payload));
  for (let i = 0; i < bounds.length; i += 2)
    for (let offset = bounds[i]!; offset < bounds[i + 1]!; offset++) offsets.push(offset);
  return offsets;
}

export function readPartitionChanged(payload: Uint8Array): { start: number; removed: readonly number[] } {
  const reader = new ByteReader(payload);
  return { start: reader.uvarint(), removed: readRuns(reader) };
}

/** The states of a message with a unique key, as they are stored. */
const uniqueStates = ['stored', 'delayed', 'delivered'] as const;

/** `uvarint state (0: stored, 1: delayed, 2: delivered), offset or id, sinceMs, windowMs; text key` */
export function writeUniqueKey(
  writer: ByteWriter,
  { state, offset, sinceMs, windowMs, key }: UniqueKeyEntry,
): void {
  writer.uvarint(uniqueStates.indexOf(state)).uvarint(offset);
  writer
    .uvarint(Math.max(0, Math.floor(sinceMs)))
    .uvarint(Math.ceil(windowMs))
    .text(key);
}

export function readUniqueKey(payload: Uint8Array): UniqueKeyEntry {
  const reader = new ByteReader(payload);
  const state = uniqueStates[reader.uvarint()]!;
  const offset = reader.uvarint();
  const sinceMs = reader.uvarint();
  const windowMs = reader.uvarint();
  return { state, offset, sinceMs, windowMs, key: reader.text(reader.remaining) };
}

/** `runs freed` */
export function writeUniqueKeysFreed(writer: ByteWriter, freed: readonly number[]): void {
  writeRuns(writer, freed);
}

export function readUniqueKeysFreed(payload: Uint8Array): readonly number[] {
  return readRuns(new ByteReader(payload));
}

/** `uvarint partition, offset, timeMs; text id` */
export function writeDedupeId(
  writer: ByteWriter,
  partition: number,
  offset: number,
  timeMs: number,
  id: string,
): void {
  // A delayed message has no offset yet: -1.
  writer
    .uvarint(partition)
    .uvarint(offset + 1)
    .uvarint(timeMs)
    .text(id);
}

export function readDedupeId(payload: Uint8Array): {
  partition: number;
  offset: number;
  timeMs: number;
  id: string;
} {
  const reader = new ByteReader(payload);
  const partition = reader.uvarint();
  const offset = reader.uvarint() - 1;
  const timeMs = reader.uvarint();
  return { partition, offset, timeMs, id: reader.text(reader.remaining) };
}

/** `uvarint count, (varint from less the last to, uvarint length)*`: runs need not ascend. */
function writeRuns(writer: ByteWriter, bounds: readonly number[]): void {
  writer.uvarint(bounds.length / 2);
  let last = 0;
  for (let i = 0; i < bounds.length; i += 2) {
    writer.varint(bounds[i]! - last).uvarint(bounds[i + 1]! - bounds[i]!);
    last = bounds[i + 1]!;
  }
}

function readRuns(reader: ByteReader): number[] {
  const bounds: number[] = [];
  let last = 0;
  for (let count = reader.uvarint(); count > 0; count--) {
    const from = last + reader.varint();
    last = from + reader.uvarint();
    bounds.push(from, last);
  }
  return bounds;
}

/** `varint wall-clock time from which on the wall clock is ahead, varint by how much` */
export function writeClockFrame(writer: ByteWriter, { fromMs, aheadMs }: ClockFrame): void {
  writer.varint(Math.floor(fromMs)).varint(Math.round(aheadMs));
}

export function readClockFrame(payload: Uint8Array): ClockFrame {
  const reader = new ByteReader(payload);
  return { fromMs: reader.varint(), aheadMs: reader.varint() };
}

/** The due time, in an entry, of a message that outlives the age limit of its topic. */
export const neverDueMs = 0;

/**
 * `uvarint count, (varint offset less the last one, varint due time less the last one)*`: due times are
 * steady time, in milliseconds. `flat`: offset and due time of each message.
 */
export function writeExpiries(writer: ByteWriter, flat: readonly number[]): void {
  writer.uvarint(flat.length / 2);
  for (let i = 0; i < flat.length; i += 2)
    writer.varint(flat[i]! - (flat[i - 2] ?? 0)).varint(flat[i + 1]! - (flat[i - 1] ?? 0));
}

export function readExpiries(payload: Uint8Array): readonly (readonly [offset: number, dueMs: number])[] {
  const reader = new ByteReader(payload);
  const expiries: [offset: number, dueMs: number][] = [];
  let offset = 0;
  let dueMs = 0;
  for (let count = reader.uvarint(); count > 0; count--)
    expiries.push([(offset += reader.varint()), (dueMs += reader.varint())]);
  return expiries;
}

/**
 * `uvarint first; set holes; set unaccounted; uvarint first less start`. Entries from before there were
 * transactions end without the last field.
 */
export function writePartitionState(
  writer: ByteWriter,
  first: number,
  start: number,
  holes: OffsetSet,
  unaccounted: OffsetSet,
): void {
  writer.uvarint(first);
  holes.encode(writer);
  unaccounted.encode(writer);
  writer.uvarint(first - start);
}

export function readPartitionState(payload: Uint8Array): {
  first: number;
  start: number;
  holes: OffsetSet;
  unaccounted: OffsetSet;
} {
  const reader = new ByteReader(payload);
  const first = reader.uvarint();
  const holes = OffsetSet.decode(reader);
  const unaccounted = OffsetSet.decode(reader);
  const start = reader.remaining > 0 ? first - reader.uvarint() : first;
  return { first, start, holes, unaccounted };
}

/** `partition, sign (1: below 0), offset without it, epoch + 1 (0: none), text metadata` */
export function writeOffsetCommittedAs(
  writer: ByteWriter,
  partition: number,
  { offset, metadata, epoch = -1 }: Committed,
): void {
  writer
    .uvarint(partition)
    .uvarint(offset < 0 ? 1 : 0)
    .uvarint(Math.abs(offset))
    .uvarint(epoch + 1)
    .text(metadata);
}

export function readOffsetCommittedAs(payload: Uint8Array): {
  readonly partition: number;
  readonly committed: Committed;
} {
  const reader = new ByteReader(payload);
  const partition = reader.uvarint();
  const isNegative = reader.uvarint() === 1;
  const magnitude = reader.uvarint();
  const epoch = reader.uvarint() - 1;
  const metadata = reader.text(reader.remaining);
  const offset = isNegative ? -magnitude : magnitude;
  return { partition, committed: { offset, metadata, ...(epoch < 0 ? {} : { epoch }) } };
}
