import { ByteWriter, type Clock, type SteadyTime } from '../util/index.ts';
import {
  EntryKind,
  writeClockFrame,
  writeDedupeId,
  writeExpiries,
  writePartitionState,
  writeUniqueKey,
  type GroupEntry,
  type TopicEntry,
} from './entries.ts';
import type { Ahead } from './groups/ahead.ts';
import type { StoredParts } from './replay.ts';
import { survivesRestart } from './topics/deduplication.ts';
import type { Topic, TopicGroup, TopicPartition } from './topics/topic.ts';

/** The entry that defines a topic, with its state. */
export function topicEntry(topic: Topic): Uint8Array {
  const partitionIds = [...topic.partitions.ids()];
  const { config, createdMs, unswept } = topic;
  const entry: TopicEntry = { config, createdMs, partitionIds, ...(unswept ? { unswept } : {}) };
  return Buffer.from(JSON.stringify(entry));
}

/** The entry that defines a group, with its positions. */
export function groupEntry(group: TopicGroup, clock: Clock): Uint8Array {
  const stored = group.positions.opened.filter((position) => !position.isUntouched);
  const [nowMs, wallMs] = [clock.monotonic(), clock.now()];
  const positions = stored.map((position, place) => {
    const pending: number[] = [];
    const released: number[] = [];
    const waits: number[] = [];
    for (const entry of position.pending.values()) {
      pending.push(entry.offset, entry.deliveries);
      if (entry.released > 0) released.push(entry.offset, entry.released);
      const wait = position.pending.waitOf(entry, nowMs, wallMs);
      if (wait) waits.push(entry.offset, wait.sinceMs, wait.waitMs ?? -1);
    }
    const { cursor, deliveredEnd: delivered, filteredLag: lag, committed, backfill } = position;
    const { index } = position.partition;
    return {
      ...(index === place ? {} : { partition: index }),
      cursor,
      ...(delivered === cursor ? {} : { delivered }),
      lag,
      pending,
      ...(released.length > 0 ? { released } : {}),
      ...(waits.length > 0 ? { waits } : {}),
      ...(backfill.length > 0 ? { backfill } : {}),
      ...(position.ahead && position.ahead.size > 0 ? { ahead: encodedAhead(position.ahead) } : {}),
      ...(position.moves > 0 ? { moves: position.moves } : {}),
      ...(committed ? { committed } : {}),
    };
  });
  const { topic, config, createdMs, deliverySequence } = group;
  const holds = [...group.storedHolds];
  const entry: GroupEntry = {
    topicId: topic.id,
    config,
    createdMs,
    deliverySequence,
    positions,
    ...(holds.length > 0 ? { holds } : {}),
  };
  return Buffer.from(JSON.stringify(entry));
}

function encodedAhead(ahead: Ahead): string {
  const writer = new ByteWriter();
  ahead.encode(writer);
  return Buffer.from(writer.view()).toString('base64');
}

/** The whole state, as a sequence of entries: `uvarint kind, id, length; payload`. */
export function writeSnapshot(parts: StoredParts, clock: Clock, steady: SteadyTime): Uint8Array[] {
  const { catalog, producerIds, transactions, attributes } = parts;
  const pieces: Uint8Array[] = [];
  const writer = new ByteWriter(64 * 1024);
  const add = (kind: number, id: number, payload: Uint8Array): void => {
    writer.uvarint(kind).uvarint(id).uvarint(payload.length).bytes(payload);
    if (writer.length < 1024 * 1024) return;
    pieces.push(writer.copy());
    writer.reset();
  };
  const scratch = new ByteWriter();
  const written = (): Uint8Array => scratch.copy();
  scratch.uvarint(catalog.lastId);
  add(EntryKind.lastId, 0, written());
  // Before everything that has times.
  for (const frame of steady.frames) {
    writeClockFrame(scratch.reset(), frame);
    add(EntryKind.clockJumped, 0, written());
  }
  if (producerIds.end > 0) {
    scratch.reset().uvarint(producerIds.end);
    add(EntryKind.producerIds, 0, written());
  }
  for (const topic of catalog.topics.values()) {
    add(EntryKind.topicDefined, topic.id, topicEntry(topic));
    if (topic.config.durability === 'disk') {
      for (const partition of topic.partitions.opened) writePartition(partition, add);
      writeExpiriesOf(topic, add);
      for (const [{ log }, payload] of topic.arrivals.entries()) add(EntryKind.arrivals, log.id, payload);
    }
    for (const [id, { partition, offset, timeMs }] of topic.deduplication.entries()) {
      if (!survivesRestart(topic.config.durability, offset)) continue;
      writeDedupeId(scratch.reset(), partition, offset, timeMs, id);
      add(EntryKind.dedupeId, topic.id, written());
    }
    for (const message of topic.uniqueKeys.messages()) {
      if (topic.config.durability === 'memory' && message.state !== 'delayed') continue;
      writeUniqueKey(scratch.reset(), message);
      add(EntryKind.uniqueKey, topic.partitions.at(message.partition)!.log.id, written());
    }
    for (const group of topic.groups.values()) {
      if (group.config.durable) add(EntryKind.groupDefined, group.id, groupEntry(group, clock));
    }
  }
  for (const [producerId, entry] of transactions.entries())
    add(EntryKind.transactionalProducer, producerId, entry);
  for (const entry of attributes.entries()) add(EntryKind.attribute, 0, Buffer.from(JSON.stringify(entry)));
  for (const [id, entry] of parts.schedules.entries()) add(EntryKind.scheduleDefined, id, entry);
  for (const [dueMs, offset, partitionId] of parts.delayLog().entries()) {
    scratch.reset().uvarint(offset).uvarint(dueMs);
    add(EntryKind.delayed, partitionId, written());
  }
  pieces.push(writer.copy());
  return pieces;
}

/** Expiries in one entry. */
const expiriesPerEntry = 10_000;

function writeExpiriesOf(
  { expiry, partitions }: Topic,
  add: (kind: number, id: number, payload: Uint8Array) => void,
): void {
  if (!expiry.isUsed) return;
  const scratch = new ByteWriter();
  for (const [{ log }, flat] of expiry.dueTimes()) {
    for (let at = 0; at < flat.length; at += 2 * expiriesPerEntry) {
      writeExpiries(scratch.reset(), flat.slice(at, at + 2 * expiriesPerEntry));
      add(EntryKind.expiries, log.id, scratch.copy());
    }
  }
  for (const partition of partitions.opened) {
    const exempt = expiry.exemptOf(partition);
    if (!exempt) continue;
    exempt.encode(scratch.reset());
    add(EntryKind.exempt, partition.log.id, scratch.copy());
  }
}

function writePartition(
  partition: TopicPartition,
  add: (kind: number, id: number, payload: Uint8Array) => void,
): void {
  const { id } = partition.log;
  const scratch = new ByteWriter();
  const { firstOffset, startOffset, holes, accounting } = partition;
  if (partition.nextOffset === 0) return; // it never had a message
  writePartitionState(scratch, firstOffset, startOffset, holes, accounting.offsets);
  add(EntryKind.partitionState, id, scratch.copy());
  if (partition.producers.size > 0) {
    partition.producers.encode(scratch.reset());
    add(EntryKind.producers, id, scratch.copy());
  }
  if (partition.transactions.openCount > 0) {
    partition.transactions.encode(scratch.reset());
    add(EntryKind.openTransactions, id, scratch.copy());
  }
  if (partition.levels !== undefined && partition.levels.size > 0) {
    partition.levels.encode(scratch.reset());
    add(EntryKind.levels, id, scratch.copy());
  }
  for (const [offset, place] of partition.standIns?.entries() ?? []) {
    scratch.reset().uvarint(offset).uvarint(place);
    add(EntryKind.standIn, id, scratch.copy());
  }
  if (!partition.keyIndex) return;
  let keys: ByteWriter = new ByteWriter(64 * 1024);
  let count = 0;
  const flush = (): void => {
    add(EntryKind.keyStates, id, new ByteWriter(keys.length + 10).uvarint(count).bytes(keys.view()).copy());
    keys = new ByteWriter(64 * 1024);
    count = 0;
  };
  for (const [key, state] of partition.keyIndex.entries()) {
    keys.uvarint(key.length).bytes(Buffer.from(key, 'latin1'));
    keys.uvarint(state.count).uvarint(state.first).uvarint(state.last);
    keys.uvarint((state.firstStale ? 1 : 0) + (state.lastStale ? 2 : 0));
    keys.uvarint(state.offsets?.length ?? 0);
    let before = 0;
    for (const offset of state.offsets ?? []) {
      keys.uvarint(offset - before);
      before = offset;
    }
    if (++count === 10_000) flush();
  }
  if (count > 0) flush();
}
