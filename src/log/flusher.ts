import { isShortage } from './errors.ts';
import type { Clock } from '../util/index.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';

/** So much of one partition makes a write worth while. */
const dueBytes = 2 ** 18;
const retryAfterMs = 1000;
/** Each step of a flush waits for its turn on a busy thread: side by side they wait together. */
const flushesAtATime = 8;

/**
 * The flusher writes durable batches behind the journal into their segments, lazily and in large writes: a
 * partition when it has gathered enough, or the one that has waited longest when all together hold too much
 * memory. Nothing waits for it but memory.
 */
export class Flusher {
  readonly #bytesMax: number;
  readonly #clock: Clock;
  readonly #journalPosition: () => number;
  readonly #failed: (error: unknown) => void;
  /** Partitions with unflushed batches, and the journal position since when; longest first. */
  readonly #dirty = new Map<DiskPartitionLog, number>();
  readonly #due = new Set<DiskPartitionLog>();
  #bytes = 0;
  #running: Promise<void> | undefined = undefined;
  #shortage: unknown = undefined;
  /** When there is no room, try again later; a start that finds none gives up instead. */
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

  /** Flushing does not keep up. */
  get isBehind(): boolean {
    return this.#bytes > this.#bytesMax * 2;
  }

  /** A partition got unflushed batches, or got rid of some. */
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
   * Who should be flushed now. Small batches share memory with their neighbours: one that waits long holds on
   * to that of many.
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

  /** Starts flushing if there is cause. */
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

  /** There is cause to flush. */
  get isDue(): boolean {
    return !this.#stopped && this.#pick() !== undefined;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#running;
    if (this.#shortage !== undefined) throw this.#shortage;
  }

  /** Says why there was no room: then the batches stay in memory and in the journal. */
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
