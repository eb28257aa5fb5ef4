import type { Log, PartitionLog } from '../log/index.ts';
import { ByteWriter, type Clock } from '../util/index.ts';
import {
  EntryKind,
  writeGroupChanged,
  writePartitionChanged,
  writeOffsetCommittedAs,
  type ChangedPosition,
  type Committed,
} from './entries.ts';
import type { Runs } from './partitions/runs.ts';
import { PublishesOfCommit, type PublishListener } from './topics/publishes.ts';

/**
 * When the next commit is to carry a change: a commit is asked for now, or within {@link changeDelayMs}, or
 * the change only joins the commit that comes next for another reason.
 */
export type CommitUrgency = 'now' | 'soon' | 'with-next';

/**
 * A delivery is counted on disk at most so much later, in milliseconds, without a sync of its own: any commit
 * in between carries the count, and if there is none, one commit carries all deliveries of that time.
 */
export const changeDelayMs = 25;

/** A group whose changes the next commit carries. */
export interface ChangingGroup {
  readonly id: number;
  /** It is in the list of the commit cycle, which alone says so. */
  changed: boolean;
  readonly deliverySequence: number;
  readonly positions: { readonly opened: readonly ChangingPosition[] };
}

interface ChangingPosition extends ChangedPosition {
  readonly committed: Committed | undefined;
  /** There is a committed offset that no commit has carried yet. */
  readonly committedChanged: boolean;
  /** There is anything else that no commit has carried yet. */
  readonly isChanged: boolean;
  /** The open commit carries the committed offset, or all else. */
  committedWritten(): void;
  changesWritten(): void;
}

/** A partition whose removals the next commit carries. */
export interface ChangingPartition {
  readonly index: number;
  /** It is in the list of the commit cycle, which alone says so. */
  changed: boolean;
  readonly topic: { readonly isDeleted: boolean };
  readonly log: PartitionLog;
  readonly startOffset: number;
  readonly removals: Runs;
  /** Keys of what was removed are accounted for when the removal is durable. */
  readonly accounting: { readonly size: number; runSoon(): void };
}

/** What waits for one commit. */
class CommitWork {
  readonly publishes: PublishesOfCommit = new PublishesOfCommit();
  readonly callbacks: (() => void)[] = [];
  readonly deletedLogs: number[] = [];
  /** Record once more what this commit defines. */
  readonly definitions: (() => void)[] = [];
  /** Callbacks of the commit after this one. */
  readonly laterCallbacks: (() => void)[] = [];
  /** Partitions that lost messages. */
  readonly partitions: ChangingPartition[] = [];
}

/**
 * The commit cycle is what the broker does around each commit of its log: what changed since the last one is
 * written into it just before it is sealed, and who waits for it is told once it is on disk.
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
  /** Publishes to topics in memory, which wait for no disk. */
  #volatile = new PublishesOfCommit();
  #spareVolatile = new PublishesOfCommit();
  readonly #changedGroups: ChangingGroup[] = [];
  readonly #changedPartitions: ChangingPartition[] = [];
  readonly #scratch = new ByteWriter(4096);
  readonly #clock: Clock;
  /** A timer is running for changes that wait for a commit. */
  #isDelaying = false;
  #stopped = false;
  /** Nothing becomes durable any more. */
  #hasFailed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The log that it writes to exists: called once, before anything else. */
  begin(log: Log): void {
    this.#log = log;
  }

  /** No commit is asked for by time any more: the broker is closing. */
  stop(): void {
    this.#stopped = true;
  }

  /** The listener hears `published` when what is open now is durable. */
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

  /** The same for a delayed message, whose offset is not known yet. */
  awaitScheduled<T>(listener: PublishListener<T>, token: T, partition: ChangingPartition): void {
    this.#open.publishes.add(listener, token, partition.index, -1, false);
  }

  /** Calls back when everything done so far is on disk; never, when the log has failed: the process ends. */
  afterCommit(callback: () => void): void {
    if (this.#hasFailed) return;
    this.#open.callbacks.push(callback);
    this.#log.requestCommit();
  }

  /**
   * The open commit defines something: the next one says it again, before anything else, so that a definition
   * survives the loss of either. What only one commit says, one bit at the wrong place can take.
   */
  defined(record: () => void): void {
    this.#open.definitions.push(record);
  }

  /** Calls back when everything done so far, and the definitions for the second time, are on disk. */
  afterDefinitions(callback: () => void): void {
    if (this.#hasFailed) return;
    this.#open.laterCallbacks.push(callback);
    this.#log.requestCommit();
  }

  /** The group's changes go into the next commit. */
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

  /** The partition's removals go into the next commit. */
  partitionChanged(partition: ChangingPartition): void {
    if (partition.log.volatile) return partition.removals.clear();
    if (partition.changed) return;
    partition.changed = true;
    this.#changedPartitions.push(partition);
    this.#log.requestCommit();
  }

  /** The log's files go once the commit that says so is durable. */
  logDeleted(id: number): void {
    this.#open.deletedLogs.push(id);
  }

  /** Changes that piled up since the last commit are written into this one. */
  beforeSeal(): void {
    for (const group of this.#changedGroups) {
      group.changed = false;
      // Also of a group that is closed: the broker may be stopping, and the last acks must not be lost.
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

  /** Nothing becomes durable any more. */
  failed(error: Error): void {
    this.#hasFailed = true;
    this.#sealed.publishes.failed(error);
    this.#open.publishes.failed(error);
  }
}
