import { ByteReader, ByteWriter } from '../util/index.ts';
import type { Attributes } from './attributes.ts';
import {
  EntryKind,
  readDedupeId,
  readGroupChanged,
  readJson,
  readPartitionChanged,
  readOffsetCommittedAs,
  readPartitionState,
  readScheduleTrimmed,
  writeDedupeId,
  writePartitionState,
  type AttributeEntry,
  type GroupEntry,
  type TopicEntry,
  type TransactionEntry,
  type TransactionalProducerEntry,
} from './entries.ts';
import { Group } from './groups/group.ts';
import { storedGroupConfig, type GroupConfig } from './groups/group-config.ts';
import type { GroupPartition } from './groups/group-partition.ts';
import { LogIds } from './log-ids.ts';
import type { ProducerIds } from './transactions/producer-ids.ts';
import type { Schedule } from './topics/schedule.ts';
import { Topic, type TopicGroup, type TopicHost, type TopicPartition } from './topics/topic.ts';
import type { Transactions } from './transactions/transactions.ts';

/** Id of the log that holds delayed messages; every other id is given out from 2 on. */
export const scheduleLogId = 1;

/**
 * The catalog is every topic, group and partition by name and id, and the two ways between them and the
 * journal: state read back from entries, and entries that make the state as it is (a checkpoint).
 */
export class Catalog {
  readonly topics: Map<string, Topic> = new Map();
  readonly topicsById: Map<number, Topic> = new Map();
  readonly groupsById: Map<number, TopicGroup> = new Map();
  /** Those that are opened, by the ids of their logs. */
  readonly partitionsById: Map<number, TopicPartition> = new Map();
  readonly #logIds = new LogIds<Topic>();
  #lastId = scheduleLogId;
  readonly #core: TopicHost;
  readonly #schedule: () => Schedule;
  readonly #producerIds: ProducerIds;
  readonly #transactions: Transactions;
  readonly #attributes: Attributes;

  constructor(
    core: TopicHost,
    schedule: () => Schedule,
    producerIds: ProducerIds,
    transactions: Transactions,
    attributes: Attributes,
  ) {
    this.#attributes = attributes;
    this.#transactions = transactions;
    this.#core = core;
    this.#schedule = schedule;
    this.#producerIds = producerIds;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** Ids that are taken, whoever has them. */
  noteIds(ids: readonly number[]): void {
    for (const id of ids) this.#lastId = Math.max(this.#lastId, id);
  }

  addTopic(topic: Topic): void {
    this.topics.set(topic.name, topic);
    this.#core.budgets.take('topics');
    this.#core.budgets.take('partitions', topic.partitions.length);
    this.topicsById.set(topic.id, topic);
    this.#logIds.add(topic);
  }

  removeTopic(topic: Topic): void {
    this.topics.delete(topic.name);
    this.#core.budgets.release('topics');
    this.#core.budgets.release('partitions', topic.partitions.length);
    this.#core.budgets.release('groups', topic.groups.size);
    this.#core.budgets.release('positions', topic.groups.size * topic.partitions.length);
    topic.release();
    this.topicsById.delete(topic.id);
    this.#logIds.remove(topic);
    for (const partition of topic.partitions.opened) this.partitionsById.delete(partition.log.id);
    for (const group of topic.groups.values()) this.groupsById.delete(group.id);
  }

  /** Gives a topic partitions more, whose logs have these ids. */
  addPartitions(topic: Topic, ids: readonly number[]): void {
    topic.partitions.add(ids);
    this.#core.budgets.take('partitions', ids.length);
    this.#core.budgets.take('positions', ids.length * topic.groups.size);
    this.#logIds.add(topic);
  }

  /** The partition whose log has the id, opened if it was not. */
  partition(id: number): TopicPartition | undefined {
    const opened = this.partitionsById.get(id);
    if (opened) return opened;
    const found = this.#logIds.find(id);
    return found?.owner.partitions.at(found.index);
  }

  /** Opens the partitions of which the data directory holds something. */
  openStored(topic: Topic): void {
    const { log } = this.#core;
    topic.partitions.openWhere((id) => log.isStored(id));
  }

  openPartitions(isWanted: (id: number) => boolean): void {
    for (const { partitions, config } of this.topics.values())
      if (config.durability === 'disk') partitions.openWhere(isWanted);
  }

  // ---- reading back

  /**
   * Applies one entry of the journal or of a checkpoint. Entries of topics and groups that were deleted since
   * are passed over.
   */
  apply(kind: number, id: number, payload: Uint8Array): void {
    switch (kind) {
      case EntryKind.topicDefined:
        return this.#applyTopic(id, readJson(payload) as TopicEntry);
      case EntryKind.topicDeleted:
        return this.#applyTopicDeleted(id);
      case EntryKind.groupDefined:
        return this.#applyGroup(id, readJson(payload) as GroupEntry);
      case EntryKind.groupConfigured:
        return this.groupsById.get(id)?.applyConfig(storedGroupConfig(readJson(payload) as GroupConfig));
      case EntryKind.groupDeleted:
        return this.#applyGroupDeleted(id);
      case EntryKind.groupChanged:
        return this.#applyGroupChanged(id, payload);
      case EntryKind.partitionChanged: {
        const { start, removed } = readPartitionChanged(payload);
        const partition = this.partition(id);
        for (let i = 0; i < removed.length; i += 2) partition?.applyRemoval(removed[i]!, removed[i + 1]!);
        return partition?.applyFirst(start);
      }
      case EntryKind.dedupeId: {
        const { id: dedupeId, ...original } = readDedupeId(payload);
        const topic = this.topicsById.get(id);
        return topic?.deduplication.add(
          dedupeId,
          original,
          this.#core.steady,
          topic.config.dedupeWindowMs,
          topic.config.dedupeEntriesMax,
        );
      }
      case EntryKind.scheduled: {
        const reader = new ByteReader(payload);
        return this.#schedule().add(reader.uvarint(), reader.uvarint(), id);
      }
      case EntryKind.unscheduled:
        return this.#schedule().remove([new ByteReader(payload).uvarint()]);
      case EntryKind.scheduleTrimmed:
        return this.#schedule().remove(readScheduleTrimmed(payload));
      case EntryKind.offsetCommitted: {
        const reader = new ByteReader(payload);
        const position = this.groupsById.get(id)?.positions.at(reader.uvarint());
        if (position)
          position.committed = { offset: reader.uvarint(), metadata: reader.text(reader.remaining) };
        return;
      }
      case EntryKind.offsetCommittedAs: {
        const { partition, committed } = readOffsetCommittedAs(payload);
        const position = this.groupsById.get(id)?.positions.at(partition);
        if (position) position.committed = committed;
        return;
      }
      case EntryKind.partitionState:
        return this.partition(id)?.restore(readPartitionState(payload));
      case EntryKind.keyStates:
        return this.#applyKeyStates(id, payload);
      case EntryKind.lastId:
        this.#lastId = Math.max(this.#lastId, new ByteReader(payload).uvarint());
        return;
      case EntryKind.producerIds:
        return this.#producerIds.restore(new ByteReader(payload).uvarint());
      case EntryKind.producers:
        return this.partition(id)?.producers.decode(new ByteReader(payload));
      case EntryKind.transactionalProducer:
        return this.#transactions.restore(id, readJson(payload) as TransactionalProducerEntry);
      case EntryKind.transactionGrew:
        return this.#transactions.restoreGrowth(id, readJson(payload) as TransactionEntry);
      case EntryKind.transactionalProducerForgotten:
        return this.#transactions.restoreForgotten(id);
      case EntryKind.openTransactions:
        return this.partition(id)?.transactions.decode(new ByteReader(payload));
      case EntryKind.attribute:
        return this.#attributes.restore(readJson(payload) as AttributeEntry);
      default:
        throw new Error(
          `The journal holds an entry of kind ${kind}, which this version does not know. Start a newer version.`,
        );
    }
  }

  #applyTopic(id: number, { config, createdMs, partitionIds, unswept }: TopicEntry): void {
    this.#lastId = Math.max(this.#lastId, id, ...partitionIds);
    const known = this.topicsById.get(id);
    if (!known) {
      const topic = new Topic(this.#core, id, config, createdMs, partitionIds);
      this.addTopic(topic);
      this.openStored(topic);
      if (unswept) topic.restoreUnswept(unswept);
      return;
    }
    known.applyConfig(config);
    this.addPartitions(known, partitionIds.slice(known.partitions.length));
    this.openStored(known);
  }

  #applyTopicDeleted(id: number): void {
    const topic = this.topicsById.get(id);
    if (!topic) return;
    topic.close('topic-deleted');
    // Said by an entry of its own since there is one.
    for (const { log } of topic.partitions.opened)
      this.#schedule().remove(this.#schedule().offsetsOf(log.id));
    this.removeTopic(topic);
    // The deletion is in the journal: its files go now, if a crash left them behind.
    for (const { log } of topic.partitions.opened)
      void this.#core.log.deletePartition(log.id).catch(() => undefined);
  }

  #applyGroup(id: number, entry: GroupEntry): void {
    this.#lastId = Math.max(this.#lastId, id);
    const topic = this.topicsById.get(entry.topicId);
    if (!topic) return;
    let group = this.groupsById.get(id);
    if (!group) {
      group = new Group<Topic>(this.#core, topic, id, storedGroupConfig(entry.config), entry.createdMs);
      topic.addGroup(group);
      this.groupsById.set(id, group);
    }
    group.deliverySequence = entry.deliverySequence;
    for (const [index, stored] of entry.positions.entries()) {
      const position = group.positions.at(stored.partition ?? index);
      if (!position) continue;
      // What was in memory is gone with the last run, and offsets begin anew.
      const isGone = topic.config.durability === 'memory';
      const backfill = stored.backfill && !isGone ? [...stored.backfill] : undefined;
      position.place(isGone ? position.partition.firstOffset : stored.cursor, backfill);
      position.moves = stored.moves ?? 0;
      position.filteredLag = stored.lag;
      if (isGone) continue;
      position.deliveredEnd = stored.delivered ?? stored.cursor;
      position.committed = stored.committed;
      for (let i = 0; i < stored.pending.length; i += 2)
        position.pending.restore(stored.pending[i]!, stored.pending[i + 1]!);
      restoreWaits(position, stored.waits);
      for (let i = 0; i < (stored.released?.length ?? 0); i += 2)
        position.pending.restoreReleased(stored.released![i]!, stored.released![i + 1]!);
    }
  }

  #applyGroupDeleted(id: number): void {
    const group = this.groupsById.get(id);
    if (!group) return;
    group.close('group-deleted');
    group.topic.removeGroup(group);
    this.groupsById.delete(id);
  }

  #applyGroupChanged(id: number, payload: Uint8Array): void {
    const group = this.groupsById.get(id);
    if (!group) return;
    const entry = readGroupChanged(payload);
    const position = group.positions.at(entry.partition);
    if (!position) return;
    group.deliverySequence = entry.deliverySequence;
    const { writtenMs } = entry;
    const wait = writtenMs === undefined ? undefined : { sinceMs: writtenMs, waitMs: undefined };
    for (const [offset, deliveries] of entry.pending) position.pending.restore(offset, deliveries, wait);
    for (const [offset, waitMs] of entry.left)
      position.pending.restoreWait(offset, { sinceMs: writtenMs!, waitMs });
    for (const [offset, released] of entry.released) position.pending.restoreReleased(offset, released);
    for (let i = 0; i < entry.done.length; i += 2) {
      group.topic.replayedDone(position.partition, entry.done[i]!, entry.done[i + 1]!);
      for (let offset = entry.done[i]!; offset < entry.done[i + 1]!; offset++) {
        const pending = position.pending.get(offset);
        if (pending) position.pending.remove(pending);
      }
    }
    const before = position.cursor;
    const last = entry.pending.at(-1);
    position.applyCursor(entry.cursor, entry.backfillLength, last === undefined ? 0 : last[0] + 1);
    if (group.isCommitted && position.cursor > before)
      group.topic.replayedDone(position.partition, before, position.cursor);
    position.filteredLag = entry.lag;
  }

  #applyKeyStates(id: number, payload: Uint8Array): void {
    const index = this.partition(id)?.keyIndex;
    if (!index) return;
    const reader = new ByteReader(payload);
    for (let count = reader.uvarint(); count > 0; count--) {
      const key = Buffer.from(reader.bytes(reader.uvarint())).toString('latin1');
      const messages = reader.uvarint();
      const first = reader.uvarint();
      const last = reader.uvarint();
      const stale = reader.uvarint();
      const offsets: number[] = [];
      for (let left = reader.uvarint(), at = 0; left > 0; left--) offsets.push((at += reader.uvarint()));
      index.restore(key, {
        count: messages,
        first,
        last,
        firstStale: (stale & 1) === 1,
        lastStale: (stale & 2) === 2,
        offsets,
      });
    }
  }

  /** After the last entry: what was pending is to be delivered again. */
  recovered(): void {
    // A purge looks at partitions that are opened.
    for (const id of this.#schedule().partitionIds) this.partition(id);
    for (const group of this.groupsById.values()) group.recovered();
  }

  // ---- writing down

  topicEntry(topic: Topic): Uint8Array {
    const partitionIds = [...topic.partitions.ids()];
    const { config, createdMs, unswept } = topic;
    const entry: TopicEntry = { config, createdMs, partitionIds, ...(unswept ? { unswept } : {}) };
    return Buffer.from(JSON.stringify(entry));
  }

  groupEntry(group: TopicGroup): Uint8Array {
    const stored = group.positions.opened.filter((position) => !position.isUntouched);
    const [nowMs, wallMs] = [this.#core.clock.monotonic(), this.#core.clock.now()];
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
        ...(position.moves > 0 ? { moves: position.moves } : {}),
        ...(committed ? { committed } : {}),
      };
    });
    const { topic, config, createdMs, deliverySequence } = group;
    const entry: GroupEntry = { topicId: topic.id, config, createdMs, deliverySequence, positions };
    return Buffer.from(JSON.stringify(entry));
  }

  /** The whole state, as entries one after the other: `uvarint kind, id, length; payload`. */
  snapshot(): Uint8Array[] {
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
    scratch.uvarint(this.#lastId);
    add(EntryKind.lastId, 0, written());
    if (this.#producerIds.end > 0) {
      scratch.reset().uvarint(this.#producerIds.end);
      add(EntryKind.producerIds, 0, written());
    }
    for (const topic of this.topics.values()) {
      add(EntryKind.topicDefined, topic.id, this.topicEntry(topic));
      if (topic.config.durability === 'disk') {
        for (const partition of topic.partitions.opened) this.#writePartition(partition, add);
        for (const [id, { partition, offset, timeMs }] of topic.deduplication.entries()) {
          writeDedupeId(scratch.reset(), partition, offset, timeMs, id);
          add(EntryKind.dedupeId, topic.id, written());
        }
      }
      for (const group of topic.groups.values()) {
        if (group.config.durable) add(EntryKind.groupDefined, group.id, this.groupEntry(group));
      }
    }
    for (const [producerId, entry] of this.#transactions.entries())
      add(EntryKind.transactionalProducer, producerId, entry);
    for (const entry of this.#attributes.entries())
      add(EntryKind.attribute, 0, Buffer.from(JSON.stringify(entry)));
    for (const [dueMs, offset, partitionId] of this.#schedule().entries()) {
      scratch.reset().uvarint(offset).uvarint(dueMs);
      add(EntryKind.scheduled, partitionId, written());
    }
    pieces.push(writer.copy());
    return pieces;
  }

  #writePartition(
    partition: TopicPartition,
    add: (kind: number, id: number, payload: Uint8Array) => void,
  ): void {
    const { id } = partition.log;
    const scratch = new ByteWriter();
    const { firstOffset, startOffset, holes, accounting } = partition;
    if (partition.nextOffset === 0) return; // nothing was ever in it
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

  /** Reads what {@link snapshot} wrote. */
  restore(snapshot: Uint8Array): void {
    const reader = new ByteReader(snapshot);
    while (reader.remaining > 0) {
      const kind = reader.uvarint();
      const id = reader.uvarint();
      this.apply(kind, id, reader.bytes(reader.uvarint()));
    }
  }
}

function restoreWaits({ pending }: GroupPartition, waits: readonly number[] = []): void {
  for (let i = 0; i < waits.length; i += 3) {
    const waitMs = waits[i + 2]!;
    pending.restoreWait(waits[i]!, { sinceMs: waits[i + 1]!, waitMs: waitMs < 0 ? undefined : waitMs });
  }
}
