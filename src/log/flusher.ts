import { isShortage } from './errors.ts';
import type { Clock } from '../util/index.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';

/** Bytes of one partition that are worth a write. */
const dueBytes = 2 ** 18;
const retryAfterMs = 1000;
/** On a busy thread each step of a flush waits for its turn; concurrent flushes wait together. */
const flushesAtATime = 8;

/**
 * The flusher writes durable batches from memory to their segments, lazily and in large writes. It picks a
 * partition that has gathered enough, or the longest waiting one if all together use too much memory. Only
 * memory depends on it; no publish waits for it.
 */
export class Flusher {
  readonly #bytesMax: number;
  readonly #clock: Clock;
  readonly #journalPosition: () => number;
  readonly #failed: (error: unknown) => void;
  /** Partitions with unflushed batches, and the journal position since when; longest waiting first. */
  readonly #dirty = new Map<DiskPartitionLog, number>();
  readonly #due = new Set<DiskPartitionLog>();
  #bytes = 0;
  #running: Promise<void> | undefined = undefined;
  #shortage: unknown = undefined;
  /** Whether to retry later if there is no room; a start that finds no room fails instead. */
  patient = false;
  #stopped = false;

  constructor(
    bytesMax: number,
    clock: Clock,
    journalPosition: () => number,
    failed: (error: unknown) => void,
  ) {
    this.#bytesMax = bytesMax;
    this.#clock = clock;
    this.#journalPosition = journalPosition;
    this.#failed = failed;
  }

  /** Bytes of unflushed batches in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether flushing cannot keep up. */
  get isBehind(): boolean {
    return this.#bytes > this.#bytesMax * 2;
  }

  /** Notes that a partition got unflushed batches, or has written some. */
  changed(partition: DiskPartitionLog, bytes: number): void {
    this.#bytes += bytes;
    const unflushed = partition.unflushedBytes;
    if (unflushed === 0) {
      this.#dirty.delete(partition);
      this.#due.delete(partition);
    } else {
      if (!this.#dirty.has(partition)) this.#dirty.set(partition, this.#journalPosition());
      if (bytes > 0 && unflushed >= dueBytes) this.#due.add(partition);
    }
  }

  /**
   * The partition to flush next. Small batches share memory with their neighbours, so one that waits long
   * holds the memory of many.
   */
  #pick(): DiskPartitionLog | undefined {
    for (const partition of this.#due) return partition;
    for (const [partition, since] of this.#dirty) {
      return this.#bytes > this.#bytesMax || this.#journalPosition() - since > this.#bytesMax
        ? partition
        : undefined;
    }
    return undefined;
  }

  /** Starts flushing if there is reason to. */
  kick(): void {
    if (this.#running !== undefined || this.#stopped || this.#pick() === undefined) return;
    this.#running = Promise.all(Array.from({ length: flushesAtATime }, () => this.#run())).then(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    for (let partition = this.#pick(); partition !== undefined && !this.#stopped; partition = this.#pick()) {
      const shortage = await this.#flush(partition);
      if (shortage === undefined) continue;
      if (!this.patient) {
        this.#shortage = shortage;
        return;
      }
      await new Promise<void>((resolve) => this.#clock.setTimer(retryAfterMs, resolve));
    }
  }

  /** Whether there is reason to flush. */
  get isDue(): boolean {
    return !this.#stopped && this.#pick() !== undefined;
  }

  /** Resolves when no write is in progress. */
  async settled(): Promise<void> {
    await this.#running;
    if (this.#shortage !== undefined) throw this.#shortage;
  }

  /** Returns the error if there was no room: the batches then stay in memory and in the journal. */
  async #flush(partition: DiskPartitionLog): Promise<unknown> {
    this.#due.delete(partition);
    this.#dirty.delete(partition);
    let shortage: unknown;
    try {
      await partition.upkeep.flush();
    } catch (error) {
      if (!isShortage(error)) {
        this.#stopped = true;
        this.#failed(error);
        return undefined;
      }
      shortage = error;
    }
    if (partition.unflushedBytes > 0 && !this.#dirty.has(partition))
      this.#dirty.set(partition, this.#journalPosition());
    return shortage;
  }

  stop(): void {
    this.#stopped = true;
  }
}
