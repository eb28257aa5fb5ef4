import type { PartitionRow } from './checkpoint.ts';
import { DiskPartitionLog } from './disk-partition-log.ts';
import type { PartitionContext } from './partition-context.ts';
import { LogError } from './errors.ts';
import { MemoryPartitionLog, type MemoryPartitionContext } from './memory-partition-log.ts';
import type { PartitionLog } from './partition-log.ts';

export interface PartitionOptions {
  /** Never on disk. */
  readonly volatile?: boolean;
  readonly segmentBytesMax?: number;
  /** Where a new partition's offsets start. Default 0. */
  readonly startOffset?: number;
}

interface Deletion {
  readonly partition: DiskPartitionLog;
  /** The commit that was open when it was asked for. */
  readonly commit: number;
  done: boolean;
}

/**
 * The partitions of the log: those the host opened, those that wait on disk for it to do so, and those being
 * deleted.
 */
export class Partitions {
  readonly #context: PartitionContext & MemoryPartitionContext;
  readonly #segmentBytesMax: number;
  readonly #disk = new Map<number, DiskPartitionLog>();
  readonly #volatile = new Map<number, MemoryPartitionLog>();
  readonly #opened = new Set<number>();
  /** Listed by the checkpoint as being deleted. */
  readonly #tombstones = new Set<number>();
  readonly #deletions = new Map<number, Deletion>();
  /** Resolves when recovery is over: nothing is removed before. */
  readonly #recovered: Promise<void>;

  constructor(
    context: PartitionContext & MemoryPartitionContext,
    segmentBytesMax: number,
    recovered: Promise<void>,
  ) {
    this.#context = context;
    this.#segmentBytesMax = segmentBytesMax;
    this.#recovered = recovered;
  }

  /** Takes in the table of checkpoint `number`. */
  load(rows: Iterable<PartitionRow>, number: number): void {
    for (const row of rows) {
      this.#disk.set(row.id, new DiskPartitionLog(this.#context, row, this.#segmentBytesMax, number));
      if (row.deleted) this.#tombstones.add(row.id);
    }
  }

  /**
   * The process before died, and left these directories: whether a file or directory that it made or removed
   * is so on disk is not known. No checkpoint may rely on it before they were synced.
   */
  oweDirSyncs(ids: Iterable<number>): void {
    this.#context.segments.topicsDirUnsynced = true;
    for (const id of ids) this.#disk.get(id)?.upkeep.oweDirSync();
  }

  get(id: number): PartitionLog | undefined {
    return this.#opened.has(id) ? (this.#disk.get(id) ?? this.#volatile.get(id)) : undefined;
  }

  get disk(): Iterable<DiskPartitionLog> {
    return this.#disk.values();
  }

  *opened(): Generator<PartitionLog, void, void> {
    for (const id of this.#opened) yield this.get(id)!;
  }

  /** On disk, and the host does not know them. */
  get orphans(): number[] {
    return [...this.#disk.keys()]
      .filter((id) => !this.#opened.has(id) && !this.#tombstones.has(id))
      .sort((a, b) => a - b);
  }

  open(id: number, options: PartitionOptions): PartitionLog {
    if (!Number.isSafeInteger(id) || id < 1 || id >= 2 ** 48) {
      throw new LogError('misuse', `A partition id is an integer from 1 to 2^48 - 1, not ${id}.`);
    }
    const known = this.#disk.get(id) ?? this.#volatile.get(id);
    if (known !== undefined && known.volatile !== (options.volatile === true)) {
      throw new LogError(
        'misuse',
        `Partition ${id} is there already and is ${known.volatile ? '' : 'not '}volatile.`,
      );
    }
    if (this.#deletions.has(id))
      throw new LogError('misuse', `Partition ${id} was deleted; ids are not used twice.`);
    this.#opened.add(id);
    if (options.volatile) {
      const partition =
        this.#volatile.get(id) ?? new MemoryPartitionLog(this.#context, id, options.startOffset ?? 0);
      this.#volatile.set(id, partition);
      return partition;
    }
    const partition = this.#disk.get(id) ?? this.#create(id, options.startOffset ?? 0);
    if (options.segmentBytesMax !== undefined) partition.segmentBytesMax = options.segmentBytesMax;
    return partition;
  }

  #create(id: number, startOffset: number): DiskPartitionLog {
    const row: PartitionRow = {
      id,
      startOffset,
      endOffset: startOffset,
      flushedEnd: startOffset,
      maxTimestampMs: 0,
      segments: [],
    };
    const partition = new DiskPartitionLog(this.#context, row, this.#segmentBytesMax, 0);
    this.#disk.set(id, partition);
    return partition;
  }

  /**
   * For replay: the partition of a batch, known to the host or not; undefined when it was deleted or is
   * volatile now.
   */
  ofJournal(id: number): DiskPartitionLog | undefined {
    if (this.#deletions.has(id) || this.#volatile.has(id)) return undefined;
    return this.#disk.get(id) ?? this.#create(id, 0);
  }

  /** Whether something of it is on disk or in the journal that is being replayed. */
  isStored(id: number): boolean {
    return this.#disk.has(id);
  }

  isKnown(id: number): boolean {
    return this.#disk.has(id) || this.#deletions.has(id);
  }

  /** `commit` is the one open now. */
  async delete(id: number, commit: number): Promise<void> {
    const volatile = this.#volatile.get(id);
    if (volatile !== undefined) {
      this.#volatile.delete(id);
      this.#opened.delete(id);
      volatile.delete();
      return;
    }
    const partition = this.#disk.get(id);
    if (partition === undefined) return;
    this.#disk.delete(id);
    this.#opened.delete(id);
    this.#tombstones.delete(id);
    const deletion: Deletion = { partition, commit, done: false };
    this.#deletions.set(id, deletion);
    partition.markDeleted();
    await this.#recovered;
    await partition.upkeep.removeFiles();
    deletion.done = true;
  }

  /** After recovery: deletions the checkpoint lists and nobody asked for again are carried out. */
  deleteTombstones(commit: number): Promise<void>[] {
    const deletions: Promise<void>[] = [];
    for (const id of this.#tombstones) if (!this.#opened.has(id)) deletions.push(this.delete(id, commit));
    return deletions;
  }

  /**
   * What a checkpoint of `commit` has to say of deleted partitions: those whose files may still be there, and
   * those that were alive at that commit (what is replayed behind it may be theirs).
   */
  deletedRows(commit: number): PartitionRow[] {
    const rows: PartitionRow[] = [];
    for (const { partition, commit: since, done } of this.#deletions.values())
      if (!done || since > commit) rows.push(partition.upkeep.deletedRow);
    return rows;
  }

  /**
   * A checkpoint of `commit` is durable: deletions that it does not mention are forgotten, in the same test
   * as {@link deletedRows} before it.
   */
  forgetDeletions(mentioned: readonly PartitionRow[]): void {
    const still = new Set(mentioned.map(({ id }) => id));
    for (const [id, { done }] of this.#deletions) if (done && !still.has(id)) this.#deletions.delete(id);
  }
}
