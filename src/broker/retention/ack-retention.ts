import { OffsetSet } from '../../util/index.ts';
import { KeyReader, type Filter } from '../partitions/filter.ts';
import type { Unswept } from '../entries.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Rate } from '../partitions/rates.ts';
import type { TopicConfig } from '../topics/topic-config.ts';

/** A group, as ack retention sees it. */
interface AckingGroup {
  /** The messages that it takes; undefined: all. */
  readonly filter: Filter | undefined;
  isDone(partition: number, offset: number): boolean;
}

/** A topic, as ack retention sees it. */
interface AckedTopic {
  readonly config: TopicConfig;
  readonly isDeleted: boolean;
  readonly partitions: { readonly opened: readonly Partition[]; at(index: number): Partition | undefined };
  readonly groups: ReadonlyMap<string, AckingGroup>;
  readonly removedRate: Rate;
  /** Called when messages were removed and there is room again. */
  noteRoom(): void;
}

/** The services that the broker offers to ack retention. */
interface AckRetentionHost {
  /** True until all of the data directory has been read back. */
  readonly recovering: boolean;
  afterCommit(callback: () => void): void;
}

/**
 * Ack retention removes messages of queue-like topics (`queue`, `interest`) when all groups that want them
 * have acked them.
 */
export class AckRetention {
  readonly #topic: AckedTopic;
  readonly #core: AckRetentionHost;
  /**
   * Whether groups must remember the keys of the messages that they deliver, because filters decide when a
   * message is done.
   */
  needKeys = false;
  readonly #keyReader = new KeyReader();
  #sweeping = false;
  /**
   * Another sweep is needed: it was requested during a sweep, which may have passed the messages in question,
   * or during the replay of the journal, which may bring more groups.
   */
  #sweepAgain = false;
  /** A sweep failed to read. The next sweep, at the latest after the next start, does its work. */
  #unfinished = false;
  /**
   * Messages that some groups are done with. Their keys have to be read to know whether they are for other
   * groups.
   */
  readonly #unread = new Map<Partition, OffsetSet>();
  /** The part of {@link #unread} that is being read. */
  #lookingAt: readonly [Partition, OffsetSet] | undefined = undefined;
  #looking = false;
  /**
   * Messages to be checked that are not decided yet: a scan sees them when their transaction, or the one
   * before, has ended.
   */
  readonly #undecided = new Map<Partition, OffsetSet>();

  constructor(topic: AckedTopic, core: AckRetentionHost) {
    this.#topic = topic;
    this.#core = core;
  }

  /**
   * Called when a group is done with a message. `key` may be missing for messages that were delivered before
   * a restart.
   */
  settled(partition: Partition, offset: number, key: string | undefined, by: AckingGroup): void {
    const { groups, config } = this.#topic;
    if (config.retention === 'limits') return;
    if (groups.size > 1) {
      for (const group of groups.values()) {
        if (group === by || group.isDone(partition.index, offset)) continue;
        if (!group.filter) return;
        if (key === undefined) return this.#lookAt(partition, offset, offset + 1);
        if (group.filter.matches(key)) return;
      }
    }
    this.#remove(partition, offset);
  }

  /** Called when a group is done with all messages in `[from, to)`. */
  passed(partition: Partition, from: number, to: number, by: AckingGroup): void {
    const { groups, config } = this.#topic;
    if (config.retention === 'limits') return;
    const others = [...groups.values()].filter((group) => group !== by);
    for (let offset = Math.max(from, partition.firstOffset); offset < to; offset++) {
      if (!partition.isLive(offset)) continue;
      const waiting = others.filter((group) => !group.isDone(partition.index, offset));
      if (waiting.length === 0) this.#remove(partition, offset);
      else if (waiting.every((group) => group.filter)) this.#lookAt(partition, offset, offset + 1);
    }
  }

  /**
   * Called in the replay of a journal entry: a group was done with `[from, to)`. Whether these messages were
   * removed is in other entries, or not in the journal at all.
   */
  replayed(partition: Partition, from: number, to: number): void {
    if (this.#topic.config.retention !== 'limits') this.#lookAt(partition, from, to);
  }

  /** Called when a transaction has ended. Messages that waited for it are checked once the end is durable. */
  decided(): void {
    if (this.#topic.config.retention === 'limits') return;
    this.#core.afterCommit(() => {
      for (const [partition, offsets] of this.#undecided) {
        this.#undecided.delete(partition);
        for (const [from, to] of offsets.runs()) this.#lookAt(partition, from, to);
      }
    });
  }

  /**
   * Removes messages in `[from, to)` later, except those whose key says that another group is to handle them.
   */
  #lookAt(partition: Partition, from: number, to: number): void {
    addRange(this.#unread, partition, from, to);
    if (!this.#core.recovering) this.#startLooking();
  }

  #startLooking(): void {
    if (this.#looking || this.#unread.size === 0) return;
    this.#looking = true;
    void this.#look()
      .catch(() => undefined) // the log reports its own errors
      .finally(() => {
        this.#looking = false;
      });
  }

  async #look(): Promise<void> {
    for (const found of this.#unread) {
      const [partition, offsets] = (this.#lookingAt = found);
      this.#unread.delete(partition); // messages that come meanwhile are checked in another round
      for (const [from, to] of offsets.runs()) await this.#removeUnwanted(partition, from, to);
      this.#lookingAt = undefined;
    }
  }

  /**
   * The state for a checkpoint: messages that all groups may be done with, and that have not been checked
   * yet.
   */
  get unswept(): Unswept | undefined {
    if (this.#sweeping || this.#sweepAgain || this.#unfinished) return 'all';
    const unread = [...this.#unread, ...(this.#lookingAt ? [this.#lookingAt] : []), ...this.#undecided];
    if (unread.length === 0) return undefined;
    return unread.flatMap(([{ index }, offsets]) =>
      [...offsets.runs()].map(([from, to]) => [index, from, to] as const),
    );
  }

  /** Restores {@link unswept}; {@link resume} does the work. */
  restore(unswept: Unswept): void {
    if (unswept === 'all') this.#sweepAgain = true;
    else for (const [index, from, to] of unswept) this.replayed(this.#topic.partitions.at(index)!, from, to);
  }

  /**
   * Checks all messages, after a group was deleted or its filters changed. Removes those that no remaining
   * group is to handle.
   */
  sweep(): void {
    if (this.#topic.config.retention === 'limits') return;
    this.#sweepAgain = this.#sweeping || this.#core.recovering;
    if (this.#sweepAgain) return;
    this.#sweeping = true;
    this.#unfinished = false;
    void this.#sweep()
      .catch(() => {
        this.#unfinished = true; // the log reports its own errors
      })
      .finally(() => {
        this.#sweeping = false;
        if (this.#sweepAgain) this.sweep();
      });
  }

  /** Called after recovery: does the work that was requested during it. */
  resume(): void {
    if (this.#sweepAgain) this.sweep();
    this.#startLooking();
  }

  /** Notes the undecided messages in `[from, to)`, to be checked later. */
  #awaitDecision(partition: Partition, from: number, to: number): void {
    const { nextOffset, undecidedFrom } = partition;
    const start = Math.max(from, undecidedFrom);
    const end = Math.min(to, nextOffset);
    if (start < end) addRange(this.#undecided, partition, start, end);
  }

  async #sweep(): Promise<void> {
    for (const partition of this.#topic.partitions.opened.slice())
      await this.#removeUnwanted(partition, partition.firstOffset, Infinity);
  }

  async #removeUnwanted(partition: Partition, from: number, to: number): Promise<void> {
    for await (const record of partition.scan(from, { toOffset: to })) {
      if (this.#topic.isDeleted) return;
      // Groups pass over what is past its time, but that does not answer it: its expiry takes it out.
      if (partition.isOverdue(record.offset)) continue;
      if (!this.#isWanted(partition, record.offset, this.#keyReader.read(record)))
        this.#remove(partition, record.offset);
    }
    this.#awaitDecision(partition, from, to);
  }

  /**
   * A message that matches no group is kept by a queue, for its first group, and removed under interest
   * retention.
   */
  #isWanted(partition: Partition, offset: number, key: string): boolean {
    let matches = false;
    for (const group of this.#topic.groups.values()) {
      if (group.filter && !group.filter.matches(key)) continue;
      if (!group.isDone(partition.index, offset)) return true;
      matches = true;
    }
    return !matches && this.#topic.config.retention === 'queue';
  }

  #remove(partition: Partition, offset: number): void {
    if (!partition.remove(offset)) return;
    this.#topic.removedRate.count++;
    this.#topic.noteRoom();
  }
}

function addRange(to: Map<Partition, OffsetSet>, partition: Partition, from: number, end: number): void {
  let offsets = to.get(partition);
  if (!offsets) to.set(partition, (offsets = new OffsetSet()));
  offsets.addRange(from, end);
}
