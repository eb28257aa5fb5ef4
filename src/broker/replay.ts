import { ByteReader } from '../util/index.ts';
import type { Attributes } from './attributes.ts';
import type { Catalog } from './catalog.ts';
import {
  EntryKind,
  readClockFrame,
  readDedupeId,
  readExpiries,
  readGroupChanged,
  readHold,
  readJson,
  readOffsetCommittedAs,
  readPartitionChanged,
  readPartitionState,
  readDelayTrimmed,
  readUniqueKey,
  readUniqueKeysFreed,
  type AttributeEntry,
  type GroupEntry,
  type TopicEntry,
  type TransactionEntry,
  type TransactionalProducerEntry,
} from './entries.ts';
import { Ahead } from './groups/ahead.ts';
import { Group } from './groups/group.ts';
import { storedGroupConfig, type GroupConfig } from './groups/group-config.ts';
import type { GroupPartition } from './groups/group-partition.ts';
import type { ScheduleEntry } from './schedules/schedule.ts';
import type { Schedules } from './schedules/schedules.ts';
import type { DelayLog } from './topics/delay-log.ts';
import { Topic, type TopicHost } from './topics/topic.ts';
import type { ProducerIds } from './transactions/producer-ids.ts';
import type { Transactions } from './transactions/transactions.ts';

/** All parts of the broker that entries of the journal refer to. */
export interface StoredParts {
  readonly catalog: Catalog;
  readonly producerIds: ProducerIds;
  readonly transactions: Transactions;
  readonly attributes: Attributes;
  readonly schedules: Schedules;
  delayLog(): DelayLog;
}

/** The replay turns entries into state: first those of a checkpoint, then those of the journal after it. */
export class Replay {
  readonly #parts: StoredParts;
  readonly #catalog: Catalog;
  readonly #transactions: Transactions;
  readonly #host: TopicHost;

  constructor(parts: StoredParts, host: TopicHost) {
    this.#parts = parts;
    this.#catalog = parts.catalog;
    this.#transactions = parts.transactions;
    this.#host = host;
  }

  /** Reads a snapshot of {@link writeSnapshot}. */
  restore(snapshot: Uint8Array): void {
    const reader = new ByteReader(snapshot);
    while (reader.remaining > 0) {
      const kind = reader.uvarint();
      const id = reader.uvarint();
      this.apply(kind, id, reader.bytes(reader.uvarint()));
    }
  }

  /**
   * Applies one entry of the journal or of a checkpoint. Entries of topics and groups that were deleted later
   * are skipped.
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
        return this.#catalog.groupsById
          .get(id)
          ?.applyConfig(storedGroupConfig(readJson(payload) as GroupConfig));
      case EntryKind.holds:
        return this.#catalog.groupsById.get(id)?.restoreHold(readHold(payload));
      case EntryKind.groupDeleted:
        return this.#applyGroupDeleted(id);
      case EntryKind.groupChanged:
        return this.#applyGroupChanged(id, payload);
      case EntryKind.partitionChanged: {
        const { start, removed } = readPartitionChanged(payload);
        const partition = this.#catalog.partition(id);
        for (let i = 0; i < removed.length; i += 2) partition?.applyRemoval(removed[i]!, removed[i + 1]!);
        return partition?.applyFirst(start);
      }
      case EntryKind.dedupeId: {
        const { id: dedupeId, ...original } = readDedupeId(payload);
        const topic = this.#catalog.topicsById.get(id);
        return topic?.deduplication.add(
          dedupeId,
          original,
          this.#host.steady,
          topic.config.dedupeWindowMs,
          topic.config.dedupeEntriesMax,
        );
      }
      case EntryKind.delayed: {
        const reader = new ByteReader(payload);
        return this.#parts.delayLog().add(reader.uvarint(), reader.uvarint(), id);
      }
      case EntryKind.undelayed:
        this.#parts.delayLog().remove([new ByteReader(payload).uvarint()]);
        return;
      case EntryKind.delayTrimmed:
        this.#parts.delayLog().remove(readDelayTrimmed(payload));
        return;
      case EntryKind.clockJumped:
        return this.#host.steady.restore(readClockFrame(payload));
      case EntryKind.expiries: {
        const partition = this.#catalog.partition(id);
        if (partition)
          for (const [offset, dueMs] of readExpiries(payload))
            partition.topic.expiry.restore(partition, offset, dueMs);
        return;
      }
      case EntryKind.arrivals: {
        const partition = this.#catalog.partition(id);
        return partition?.topic.arrivals.restore(partition, new ByteReader(payload));
      }
      case EntryKind.exempt: {
        const partition = this.#catalog.partition(id);
        return partition?.topic.expiry.restoreExempt(partition, new ByteReader(payload));
      }
      case EntryKind.offsetCommitted: {
        const reader = new ByteReader(payload);
        const position = this.#catalog.groupsById.get(id)?.positions.at(reader.uvarint());
        if (position)
          position.committed = { offset: reader.uvarint(), metadata: reader.text(reader.remaining) };
        return;
      }
      case EntryKind.offsetCommittedAs: {
        const { partition, committed } = readOffsetCommittedAs(payload);
        const position = this.#catalog.groupsById.get(id)?.positions.at(partition);
        if (position) position.committed = committed;
        return;
      }
      case EntryKind.uniqueKey: {
        const partition = this.#catalog.partition(id);
        return partition?.topic.uniqueKeys.restore({ ...readUniqueKey(payload), partition: partition.index });
      }
      case EntryKind.uniqueKeyFreed: {
        const freed = readUniqueKeysFreed(payload);
        const partition = this.#catalog.partition(id);
        for (let i = 0; i < freed.length; i += 2)
          partition?.topic.uniqueKeys.replayedFreed(partition.index, freed[i]!, freed[i + 1]!);
        return;
      }
      case EntryKind.partitionState:
        return this.#catalog.partition(id)?.restore(readPartitionState(payload));
      case EntryKind.keyStates:
        return this.#applyKeyStates(id, payload);
      case EntryKind.lastId:
        this.#catalog.noteIds(new ByteReader(payload).uvarint());
        return;
      case EntryKind.producerIds:
        return this.#parts.producerIds.restore(new ByteReader(payload).uvarint());
      case EntryKind.producers:
        return this.#catalog.partition(id)?.producers.decode(new ByteReader(payload));
      case EntryKind.transactionalProducer:
        return this.#transactions.restore(id, readJson(payload) as TransactionalProducerEntry);
      case EntryKind.transactionGrew:
        return this.#transactions.restoreGrowth(id, readJson(payload) as TransactionEntry);
      case EntryKind.transactionalProducerForgotten:
        return this.#transactions.restoreForgotten(id);
      case EntryKind.openTransactions:
        return this.#catalog.partition(id)?.transactions.decode(new ByteReader(payload));
      case EntryKind.scheduleDefined:
        this.#catalog.noteIds(id);
        return this.#parts.schedules.restoreDefined(id, readJson(payload) as ScheduleEntry);
      case EntryKind.scheduleDeleted:
        return this.#parts.schedules.restoreDeleted(id);
      case EntryKind.scheduleTicked:
        return this.#parts.schedules.restoreTicked(id, payload);
      case EntryKind.level: {
        const reader = new ByteReader(payload);
        return this.#catalog.partition(id)?.restoreLevel(reader.uvarint(), reader.uvarint());
      }
      case EntryKind.standIn: {
        const reader = new ByteReader(payload);
        return this.#catalog.partition(id)?.standIn(reader.uvarint(), reader.uvarint());
      }
      case EntryKind.levels:
        return this.#catalog.partition(id)?.restoreLevels(new ByteReader(payload));
      case EntryKind.attribute:
        return this.#parts.attributes.restore(readJson(payload) as AttributeEntry);
      default:
        throw new Error(
          `The journal holds an entry of kind ${kind}, which this version does not know. Start a newer version.`,
        );
    }
  }

  #applyTopic(id: number, { config, createdMs, partitionIds, unswept }: TopicEntry): void {
    this.#catalog.noteIds(id, ...partitionIds);
    const known = this.#catalog.topicsById.get(id);
    if (!known) {
      const topic = new Topic(this.#host, id, config, createdMs, partitionIds);
      this.#catalog.addTopic(topic);
      this.#catalog.openStored(topic);
      if (unswept) topic.restoreUnswept(unswept);
      return;
    }
    known.applyConfig(config);
    this.#catalog.addPartitions(known, partitionIds.slice(known.partitions.length));
    this.#catalog.openStored(known);
  }

  #applyTopicDeleted(id: number): void {
    const topic = this.#catalog.topicsById.get(id);
    if (!topic) return;
    topic.close('topic-deleted');
    // The journal of an older program has no entry of its own for this (`delayTrimmed`).
    for (const { log } of topic.partitions.opened)
      this.#parts.delayLog().remove(this.#parts.delayLog().offsetsOf(log.id));
    this.#parts.schedules.topicDeleted(topic);
    this.#catalog.removeTopic(topic);
    // The deletion is in the journal. If a crash left the files behind, they are deleted now.
    for (const { log } of topic.partitions.opened)
      void this.#host.log.deletePartition(log.id).catch(() => undefined);
  }

  #applyGroup(id: number, entry: GroupEntry): void {
    this.#catalog.noteIds(id);
    const topic = this.#catalog.topicsById.get(entry.topicId);
    if (!topic) return;
    let group = this.#catalog.groupsById.get(id);
    if (!group) {
      group = new Group<Topic>(this.#host, topic, id, storedGroupConfig(entry.config), entry.createdMs);
      topic.addGroup(group);
      this.#catalog.groupsById.set(id, group);
    }
    group.deliverySequence = entry.deliverySequence;
    for (const [index, stored] of entry.positions.entries()) {
      const position = group.positions.at(stored.partition ?? index);
      if (!position) continue;
      // Messages in memory were lost at the end of the last run, and offsets start again from 0.
      const isGone = topic.config.durability === 'memory';
      const backfill = stored.backfill && !isGone ? [...stored.backfill] : undefined;
      position.place(isGone ? position.partition.firstOffset : stored.cursor, backfill);
      position.moves = stored.moves ?? 0;
      position.filteredLag = stored.lag;
      if (isGone) continue;
      position.deliveredEnd = stored.delivered ?? stored.cursor;
      position.committed = stored.committed;
      if (stored.ahead !== undefined)
        position.restoreAhead(Ahead.decode(new ByteReader(Buffer.from(stored.ahead, 'base64'))));
      for (let i = 0; i < stored.pending.length; i += 2)
        position.pending.restore(stored.pending[i]!, stored.pending[i + 1]!);
      restoreWaits(position, stored.waits);
      for (let i = 0; i < (stored.released?.length ?? 0); i += 2)
        position.pending.restoreReleased(stored.released![i]!, stored.released![i + 1]!);
    }
    for (const hold of entry.holds ?? []) group.restoreHold(hold);
  }

  #applyGroupDeleted(id: number): void {
    const group = this.#catalog.groupsById.get(id);
    if (!group) return;
    group.close('group-deleted');
    group.topic.removeGroup(group);
    this.#catalog.groupsById.delete(id);
  }

  #applyGroupChanged(id: number, payload: Uint8Array): void {
    const group = this.#catalog.groupsById.get(id);
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
    position.applyCursor(entry.cursor, entry.backfillLength, entry.pending);
    if (group.isCommitted && position.cursor > before)
      group.topic.replayedDone(position.partition, before, position.cursor);
    position.filteredLag = entry.lag;
  }

  #applyKeyStates(id: number, payload: Uint8Array): void {
    const index = this.#catalog.partition(id)?.keyIndex;
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

  /** Called after the last entry: makes pending messages be delivered again. */
  recovered(): void {
    // A purge only looks at opened partitions.
    for (const id of this.#parts.delayLog().partitionIds) this.#catalog.partition(id);
    for (const group of this.#catalog.groupsById.values()) group.recovered();
  }
}

function restoreWaits({ pending }: GroupPartition, waits: readonly number[] = []): void {
  for (let i = 0; i < waits.length; i += 3) {
    const waitMs = waits[i + 2]!;
    pending.restoreWait(waits[i]!, { sinceMs: waits[i + 1]!, waitMs: waitMs < 0 ? undefined : waitMs });
  }
}
