import type { Log, PartitionLog } from '../log/index.ts';
import { ByteWriter, type Clock } from '../util/index.ts';
import {
  EntryKind,
  writeGroupChanged,
  writePartitionChanged,
  writeUniqueKeysFreed,
  writeOffsetCommittedAs,
  type ChangedPosition,
  type Committed,
} from './entries.ts';
import { Runs } from './partitions/runs.ts';
import { PublishesOfCommit, type PublishListener } from './topics/publishes.ts';

/**
 * When a change is to be committed: now, within {@link changeDelayMs}, or with the next commit that happens
 * for another reason.
 */
export type CommitUrgency = 'now' | 'soon' | 'with-next';

/**
 * The maximum delay, in milliseconds, until the count of a delivery is on disk, without a sync of its own.
 * Any commit in the meantime carries the count. If there is none, one commit carries all deliveries of that
 * time.
 */
const changeDelayMs = 25;

/** A group with changes for the next commit. */
export interface ChangingGroup {
  readonly id: number;
  /** Whether it is in the commit cycle's list of changes. Only the commit cycle sets this. */
  changed: boolean;
  readonly deliverySequence: number;
  readonly positions: { readonly opened: readonly ChangingPosition[] };
}

interface ChangingPosition extends ChangedPosition {
  readonly committed: Committed | undefined;
  /** Whether the committed offset has changed since the last commit. */
  readonly committedChanged: boolean;
  /** Whether anything else has changed since the last commit. */
  readonly isChanged: boolean;
  /** Called when the open commit contains the committed offset, or the other changes. */
  committedWritten(): void;
  changesWritten(): void;
}

/** A partition with removals for the next commit. */
export interface ChangingPartition {
  readonly index: number;
  /** Whether it is in the commit cycle's list of changes. Only the commit cycle sets this. */
  changed: boolean;
  readonly topic: { readonly isDeleted: boolean };
  readonly log: PartitionLog;
  readonly startOffset: number;
  readonly removals: Runs;
  /** The keys of removed messages are accounted for when the removal is durable. */
  readonly accounting: { readonly size: number; runSoon(): void };
}

/** The work that waits for one commit. */
class CommitWork {
  readonly publishes: PublishesOfCommit = new PublishesOfCommit();
  readonly callbacks: (() => void)[] = [];
  readonly deletedLogs: number[] = [];
  /** Functions that record the definitions of this commit a second time. */
  readonly definitions: (() => void)[] = [];
  /** Callbacks of the commit after this one. */
  readonly laterCallbacks: (() => void)[] = [];
  /** Partitions with messages removed. */
  readonly partitions: ChangingPartition[] = [];
}

/**
 * The commit cycle is the broker's work around each commit of its log. Changes since the last commit are
 * written just before the commit is sealed. Publishers and other waiting callers are called back once it is
 * on disk.
 *
 * ```
 *   open ──seal──► sealed ──durable──► publishers hear "ok", callbacks run, files of deleted topics go
 *   (work joins)   (on its way to disk; at most one)
 * ```
 */
export class CommitCycle {
  #log!: Log;
  #open = new CommitWork();
  #sealed = new CommitWork();
  /** Publishes to topics in memory, which do not wait for the disk. */
  #volatile = new PublishesOfCommit();
  #spareVolatile = new PublishesOfCommit();
  readonly #changedGroups: ChangingGroup[] = [];
  readonly #changedPartitions: ChangingPartition[] = [];
  /** Messages whose unique keys are free, by the id of their partition. */
  readonly #freedKeys = new Map<number, Runs>();
  readonly #scratch = new ByteWriter(4096);
  readonly #clock: Clock;
  /** Whether a timer is running for changes that wait for a commit. */
  #isDelaying = false;
  #stopped = false;
  /** The log has failed: nothing becomes durable any more. */
  #hasFailed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets the log to write to; called once, before anything else. */
  begin(log: Log): void {
    this.#log = log;
  }

  /** Stops commits by timer, because the broker is closing. */
  stop(): void {
    this.#stopped = true;
  }

  /** Calls the listener's `published` when the open commit is durable. */
  await<T>(
    listener: PublishListener<T>,
    token: T,
    partition: ChangingPartition,
    offset: number,
    duplicate: boolean,
  ): void {
    if (!partition.log.volatile) {
      this.#open.publishes.add(listener, token, partition.index, offset, duplicate);
      // A duplicate adds nothing to the commit, but its original may still be in it.
      if (duplicate) this.#log.requestCommit();
    } else if (duplicate) listener.published(token, partition.index, offset, true);
    else this.#volatile.add(listener, token, partition.index, offset, false);
  }

  /** As {@link await}, for a delayed message, whose offset is not known yet. */
  awaitDelayed<T>(listener: PublishListener<T>, token: T, partition: ChangingPartition, id: number): void {
    this.#open.publishes.addDelayed(listener, token, partition.index, id);
  }

  /**
   * Calls back when all changes so far are on disk. If the log has failed it never calls back: the process
   * ends.
   */
  afterCommit(callback: () => void): void {
    if (this.#hasFailed) return;
    this.#open.callbacks.push(callback);
    this.#log.requestCommit();
  }

  /**
   * Notes a definition in the open commit. The next commit repeats it before anything else, so that the
   * definition survives the loss of one of the two. A definition that is in only one commit could be lost by
   * a single flipped bit.
   */
  defined(record: () => void): void {
    this.#open.definitions.push(record);
  }

  /** Calls back when all changes so far, and the second copy of the definitions, are on disk. */
  afterDefinitions(callback: () => void): void {
    if (this.#hasFailed) return;
    this.#open.laterCallbacks.push(callback);
    this.#log.requestCommit();
  }

  /** Puts the group's changes into the next commit. */
  groupChanged(group: ChangingGroup, urgency: CommitUrgency): void {
    if (!group.changed) {
      group.changed = true;
      this.#changedGroups.push(group);
    }
    if (urgency === 'now') this.#log.requestCommit();
    else if (urgency === 'soon' && !this.#isDelaying) {
      this.#isDelaying = true;
      this.#clock.setTimer(changeDelayMs, this.#onDelayed);
    }
  }

  readonly #onDelayed = (): void => {
    this.#isDelaying = false;
    if (!this.#stopped && this.#changedGroups.length > 0) this.#log.requestCommit();
  };

  /** Puts the partition's removals into the next commit. */
  partitionChanged(partition: ChangingPartition): void {
    if (partition.log.volatile) return partition.removals.clear();
    if (partition.changed) return;
    partition.changed = true;
    this.#changedPartitions.push(partition);
    this.#log.requestCommit();
  }

  /** Puts into the next commit that a message with a unique key was delivered. It asks for no commit. */
  uniqueKeyFreed({ log }: ChangingPartition, offset: number): void {
    if (log.volatile) return;
    let freed = this.#freedKeys.get(log.id);
    if (!freed) this.#freedKeys.set(log.id, (freed = new Runs()));
    freed.add(offset);
  }

  /** Deletes the log's files once the commit with the deletion is durable. */
  logDeleted(id: number): void {
    this.#open.deletedLogs.push(id);
  }

  /** Writes the changes since the last commit into this one. */
  beforeSeal(): void {
    for (const group of this.#changedGroups) {
      group.changed = false;
      // Closed groups are included: the broker may be stopping, and the last acks must not be lost.
      this.#writeGroup(group);
    }
    this.#changedGroups.length = 0;
    for (const partition of this.#changedPartitions) {
      partition.changed = false;
      if (!partition.topic.isDeleted) {
        writePartitionChanged(this.#scratch.reset(), partition.startOffset, partition.removals.bounds());
        this.#log.record(EntryKind.partitionChanged, partition.log.id, this.#scratch.view());
        this.#open.partitions.push(partition);
      }
      partition.removals.clear();
    }
    this.#changedPartitions.length = 0;
    if (this.#freedKeys.size > 0) this.#writeFreedKeys();
  }

  #writeFreedKeys(): void {
    for (const [id, freed] of this.#freedKeys) {
      writeUniqueKeysFreed(this.#scratch.reset(), freed.bounds());
      this.#log.record(EntryKind.uniqueKeyFreed, id, this.#scratch.view());
    }
    this.#freedKeys.clear();
  }

  #writeCommitted(groupId: number, partition: number, committed: Committed): void {
    const { offset, metadata, epoch } = committed;
    const isPlain = offset >= 0 && epoch === undefined;
    const scratch = this.#scratch.reset();
    if (isPlain) scratch.uvarint(partition).uvarint(offset).text(metadata);
    else writeOffsetCommittedAs(scratch, partition, committed);
    const kind = isPlain ? EntryKind.offsetCommitted : EntryKind.offsetCommittedAs;
    this.#log.record(kind, groupId, scratch.view());
  }

  #writeGroup(group: ChangingGroup): void {
    for (const position of group.positions.opened) {
      if (position.committedChanged && position.committed) {
        this.#writeCommitted(group.id, position.partition.index, position.committed);
        position.committedWritten();
      }
      if (!position.isChanged) continue;
      writeGroupChanged(this.#scratch.reset(), position, group.deliverySequence, this.#clock);
      this.#log.record(EntryKind.groupChanged, group.id, this.#scratch.view());
      position.changesWritten();
    }
  }

  sealed(): void {
    [this.#open, this.#sealed] = [this.#sealed, this.#open];
    const { definitions, laterCallbacks } = this.#sealed;
    for (const record of definitions.splice(0)) record();
    for (const callback of laterCallbacks.splice(0)) this.afterCommit(callback);
  }

  durable(): void {
    const { publishes, callbacks, deletedLogs, partitions } = this.#sealed;
    publishes.committed();
    for (const { accounting } of partitions.splice(0)) if (accounting.size > 0) accounting.runSoon();
    for (const callback of callbacks.splice(0)) callback();
    for (const id of deletedLogs.splice(0)) void this.#log.deletePartition(id).catch(() => undefined);
  }

  volatileGrew(): void {
    const publishes = this.#volatile;
    this.#volatile = this.#spareVolatile;
    publishes.committed();
    this.#spareVolatile = publishes;
  }

  /** The log has failed: nothing becomes durable any more. */
  failed(error: Error): void {
    this.#hasFailed = true;
    this.#sealed.publishes.failed(error);
    this.#open.publishes.failed(error);
  }
}
