import { OffsetSet } from '../../util/index.ts';
import { KeyReader, type Filter } from '../partitions/filter.ts';
import type { Unswept } from '../entries.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Rate } from '../partitions/rates.ts';
import type { TopicConfig } from '../topics/topic-config.ts';

/** A group as ack retention knows it. */
interface AckingGroup {
  /** What it takes; undefined: everything. */
  readonly filter: Filter | undefined;
  isDone(partition: number, offset: number): boolean;
}

/** A topic as ack retention knows it. */
interface AckedTopic {
  readonly config: TopicConfig;
  readonly isDeleted: boolean;
  readonly partitions: { readonly opened: readonly Partition[]; at(index: number): Partition | undefined };
  readonly groups: ReadonlyMap<string, AckingGroup>;
  readonly removedRate: Rate;
  /** Room was made. */
  noteRoom(): void;
}

/** What ack retention needs from the broker around it. */
interface AckRetentionHost {
  /** Until all that the data directory holds has been read back. */
  readonly recovering: boolean;
  afterCommit(callback: () => void): void;
}

/**
 * Ack retention removes messages of queue-like topics (`queue`, `interest`) once every group that wants them
 * has acked them.
 */
export class AckRetention {
  readonly #topic: AckedTopic;
  readonly #core: AckRetentionHost;
  /** Whether groups must remember the keys of what they deliver: their filters decide what is done. */
  needKeys = false;
  readonly #keyReader = new KeyReader();
  #sweeping = false;
  /**
   * Asked for while one was under way, which may have passed what it was for; or while the journal was
   * replayed, which may tell of more groups.
   */
  #sweepAgain = false;
  /** A sweep could not read: the next one, at the latest after the next start, does its work. */
  #unfinished = false;
  /**
   * Messages of which some groups are done, and whose keys have to be read to know whether they are for the
   * others.
   */
  readonly #unread = new Map<Partition, OffsetSet>();
  /** Taken from there, and being read. */
  #lookingAt: readonly [Partition, OffsetSet] | undefined = undefined;
  #looking = false;
  /**
   * What was to be looked at and is not decided: a scan sees it when its transaction, or the one before it,
   * has ended.
   */
  readonly #undecided = new Map<Partition, OffsetSet>();

  constructor(topic: AckedTopic, core: AckRetentionHost) {
    this.#topic = topic;
    this.#core = core;
  }

  /** A group is done with a message. `key` may be missing for what was delivered before a restart. */
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

  /** A group is done with everything in `[from, to)`. */
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
   * The journal says that a group was done with `[from, to)`; whether that was the end of these messages, it
   * says elsewhere or not at all.
   */
  replayed(partition: Partition, from: number, to: number): void {
    if (this.#topic.config.retention !== 'limits') this.#lookAt(partition, from, to);
  }

  /** A transaction has ended: what waited for that is looked at once the end is durable. */
  decided(): void {
    if (this.#topic.config.retention === 'limits') return;
    this.#core.afterCommit(() => {
      for (const [partition, offsets] of this.#undecided) {
        this.#undecided.delete(partition);
        for (const [from, to] of offsets.runs()) this.#lookAt(partition, from, to);
      }
    });
  }

  /** Removes what is in `[from, to)`, unless its key says that another group is to handle it. */
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
      this.#unread.delete(partition); // what comes meanwhile is looked at in another turn
      for (const [from, to] of offsets.runs()) await this.#removeUnwanted(partition, from, to);
      this.#lookingAt = undefined;
    }
  }

  /**
   * What a checkpoint has to say of it: messages that may have been for the last time with a group, and were
   * not looked at yet.
   */
  get unswept(): Unswept | undefined {
    if (this.#sweeping || this.#sweepAgain || this.#unfinished) return 'all';
    const unread = [...this.#unread, ...(this.#lookingAt ? [this.#lookingAt] : []), ...this.#undecided];
    if (unread.length === 0) return undefined;
    return unread.flatMap(([{ index }, offsets]) =>
      [...offsets.runs()].map(([from, to]) => [index, from, to] as const),
    );
  }

  /** The same, read back: {@link resume} sees to it. */
  restore(unswept: Unswept): void {
    if (unswept === 'all') this.#sweepAgain = true;
    else for (const [index, from, to] of unswept) this.replayed(this.#topic.partitions.at(index)!, from, to);
  }

  /**
   * Looks at every message: those that no remaining group is to handle go. After a group was deleted, or its
   * filters changed.
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

  /** After recovery: does what was asked for meanwhile. */
  resume(): void {
    if (this.#sweepAgain) this.sweep();
    this.#startLooking();
  }

  /** Of `[from, to)`, what is not decided is looked at later. */
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
      if (!this.#isWanted(partition, record.offset, this.#keyReader.read(record)))
        this.#remove(partition, record.offset);
    }
    this.#awaitDecision(partition, from, to);
  }

  /** A message of a queue waits for its first group; under interest what nobody wants goes. */
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
