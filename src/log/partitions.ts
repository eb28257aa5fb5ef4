import type { PartitionRow } from './checkpoint.ts';
import { DiskPartitionLog } from './disk-partition-log.ts';
import type { PartitionContext } from './partition-context.ts';
import { LogError } from './errors.ts';
import { MemoryPartitionLog, type MemoryPartitionContext } from './memory-partition-log.ts';
import type { PartitionLog } from './partition-log.ts';

export interface PartitionOptions {
  /** The partition is never on disk. */
  readonly volatile?: boolean;
  readonly segmentBytesMax?: number;
  /** First offset of a new partition. Default 0. */
  readonly startOffset?: number;
}

interface Deletion {
  readonly partition: DiskPartitionLog;
  /** The commit that was open when the deletion was requested. */
  readonly commit: number;
  done: boolean;
}

/**
 * The partitions of the log: those opened by the host, those on disk that wait to be opened, and those being
 * deleted.
 */
export class Partitions {
  readonly #context: PartitionContext & MemoryPartitionContext;
  readonly #segmentBytesMax: number;
  readonly #disk = new Map<number, DiskPartitionLog>();
  readonly #volatile = new Map<number, MemoryPartitionLog>();
  readonly #opened = new Set<number>();
  /** Partitions that the checkpoint lists as being deleted. */
  readonly #tombstones = new Set<number>();
  readonly #deletions = new Map<number, Deletion>();
  /** Resolves when recovery is over: no file is removed before. */
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

  /** Loads the table of checkpoint `number`. */
  load(rows: Iterable<PartitionRow>, number: number): void {
    for (const row of rows) {
      this.#disk.set(row.id, new DiskPartitionLog(this.#context, row, this.#segmentBytesMax, number));
      if (row.deleted) this.#tombstones.add(row.id);
    }
  }

  /**
   * Notes the directories left by a process that died: it is not known whether its created or removed files
   * are so on disk. No checkpoint may rely on these directories before they are synced.
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

  /** Partitions on disk that the host does not know. */
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
   * For replay: the partition of a batch, whether the host knows it or not. Undefined if it was deleted or is
   * volatile now.
   */
  ofJournal(id: number): DiskPartitionLog | undefined {
    if (this.#deletions.has(id) || this.#volatile.has(id)) return undefined;
    return this.#disk.get(id) ?? this.#create(id, 0);
  }

  /** Whether any data of it is on disk or in the journal being replayed. */
  isStored(id: number): boolean {
    return this.#disk.has(id);
  }

  isKnown(id: number): boolean {
    return this.#disk.has(id) || this.#deletions.has(id);
  }

  /** `commit` is the open commit. */
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

  /** After recovery: carries out deletions that the checkpoint lists and the host did not request again. */
  deleteTombstones(commit: number): Promise<void>[] {
    const deletions: Promise<void>[] = [];
    for (const id of this.#tombstones) if (!this.#opened.has(id)) deletions.push(this.delete(id, commit));
    return deletions;
  }

  /**
   * The deleted partitions for a checkpoint of `commit`: those whose files may still exist, and those that
   * were alive at that commit (later commits in the journal may be theirs).
   */
  deletedRows(commit: number): PartitionRow[] {
    const rows: PartitionRow[] = [];
    for (const { partition, commit: since, done } of this.#deletions.values())
      if (!done || since > commit) rows.push(partition.upkeep.deletedRow);
    return rows;
  }

  /**
   * A checkpoint of `commit` is durable: forgets deletions that it does not mention, by the same test as
   * {@link deletedRows}.
   */
  forgetDeletions(mentioned: readonly PartitionRow[]): void {
    const still = new Set(mentioned.map(({ id }) => id));
    for (const [id, { done }] of this.#deletions) if (done && !still.has(id)) this.#deletions.delete(id);
  }
}
