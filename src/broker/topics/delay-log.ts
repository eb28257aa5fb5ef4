import { BatchReader, Record, type PartitionLog } from '../../log/index.ts';
import { DueHeap, OffsetSet, type Clock, type SteadyTime, type Timer } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import type { Filter } from '../partitions/filter.ts';
import { copyRecord } from '../partitions/message.ts';

/** The services that the broker offers to the delay log. */
export interface DelayLogHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  /**
   * The message of `offset` is due: appends it to its topic and records that it left the delay log, in one
   * commit. It is dropped if its partition was deleted.
   */
  due(partitionId: number, offset: number, record: Record): void;
}

const loadRetryMs = 1000;
/** Up to this number of stale entries stays in the heap, however small it is. */
const staleMin = 64;

/**
 * The delay log holds delayed messages until they are due. They are stored in a log of their own, with an
 * index of 24 bytes per message in memory.
 */
export class DelayLog {
  readonly #host: DelayLogHost;
  readonly #log: PartitionLog;
  readonly #heap = new DueHeap();
  readonly #outstanding = new OffsetSet();
  /** Number of entries in the heap for each partition, by its id. */
  readonly #waiting = new Map<number, number>();
  /** Number of heap entries that are no longer outstanding: at most half of the heap, apart from a few. */
  #stale = 0;
  readonly #meter: Meter;
  #timer: Timer | undefined = undefined;
  #timerDueMs = Infinity;
  #running = false;
  /** False until recovery is over: due messages could not be appended before. */
  #started = false;
  #stopped = false;

  constructor(log: PartitionLog, host: DelayLogHost, meter: Meter) {
    this.#meter = meter;
    this.#log = log;
    this.#host = host;
  }

  get size(): number {
    return this.#outstanding.size;
  }

  get log(): PartitionLog {
    return this.#log;
  }

  /** Stores a record; returns its offset in the delay log. */
  append(record: Record): number {
    return this.#log.append(record);
  }

  /**
   * Makes the record at `offset` due at `dueMs`, by the wall clock as it is now: a later jump of the clock
   * does not change the wait.
   */
  add(offset: number, dueMs: number, partitionId: number): void {
    if (!this.#outstanding.add(offset)) return; // already known
    this.#meter.set(this.#outstanding.size);
    this.#heap.push(dueMs - this.#host.steady.aheadMs, offset, partitionId);
    this.#waiting.set(partitionId, (this.#waiting.get(partitionId) ?? 0) + 1);
    this.#arm();
  }

  /** The records at these ascending offsets were delivered or are dropped. */
  remove(offsets: readonly number[]): void {
    for (const offset of offsets) if (this.#outstanding.delete(offset)) this.#stale++;
    this.#meter.set(this.#outstanding.size);
    if (this.#stale > staleMin && this.#stale * 2 > this.#heap.size) this.#sweep();
    this.#log.trim(this.#outstanding.nextPresent(0) ?? this.#log.endOffset);
  }

  #sweep(): void {
    this.#heap.removeWhere(
      (offset) => !this.#outstanding.has(offset),
      (partitionId) => this.#left(partitionId),
    );
    this.#stale = 0;
  }

  #left(partitionId: number): void {
    const left = this.#waiting.get(partitionId)! - 1;
    if (left > 0) this.#waiting.set(partitionId, left);
    else this.#waiting.delete(partitionId);
  }

  /** Ids of the partitions with delayed messages. */
  get partitionIds(): Iterable<number> {
    return this.#waiting.keys();
  }

  /** Offsets of the delayed messages of a partition, ascending. */
  offsetsOf(partitionId: number): readonly number[] {
    if (!this.#waiting.has(partitionId)) return [];
    const offsets: number[] = [];
    for (const [, offset, id] of this.entries()) if (id === partitionId) offsets.push(offset);
    return offsets.sort((a, b) => a - b);
  }

  /** The same for messages whose keys pass the filter. The messages are read, so they must be durable. */
  async matching(partitionId: number, filter: Filter): Promise<readonly number[]> {
    const reader = new BatchReader();
    const record = new Record();
    const found: number[] = [];
    let readTo = 0;
    const wanted = new Set(this.offsetsOf(partitionId));
    for (const offset of wanted) {
      if (offset < readTo) continue; // read with the batch before
      const batch = this.#log.cached(offset) ?? (await this.#log.load(offset));
      if (!batch) continue;
      reader.reset(batch, offset);
      while (reader.next(record))
        if (wanted.has(record.offset) && filter.matchesRecord(record)) found.push(record.offset);
      readTo = batch.endOffset;
    }
    return found.filter((offset) => this.#outstanding.has(offset)); // some became due meanwhile
  }

  /** Due time, offset and partition of every delayed message. */
  *entries(): Iterable<readonly [dueMs: number, offset: number, partitionId: number]> {
    for (const [dueMs, offset, partitionId] of this.#heap.entries())
      if (this.#outstanding.has(offset)) yield [this.#host.steady.toWall(dueMs), offset, partitionId];
  }

  /** Starts the timer, after recovery. */
  resume(): void {
    this.#started = true;
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    const dueMs = this.#heap.firstDueMs();
    if (!this.#started || this.#stopped || this.#running || dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#host.clock.setTimer(dueMs - this.#host.steady.now(), () => {
      this.#timerDueMs = Infinity;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    const reader = new BatchReader();
    const record = new Record();
    let retryMs: number | undefined;
    try {
      while (!this.#stopped && this.#heap.firstDueMs() <= this.#host.steady.now()) {
        const offset = this.#heap.firstOffset();
        if (!this.#outstanding.has(offset)) {
          this.#stale--;
          this.#pop();
          continue;
        }
        const batch = this.#log.cached(offset) ?? (await this.#log.load(offset));
        if (this.#stopped) break;
        // The message was removed meanwhile, or one that is due earlier was added.
        if (this.#heap.firstOffset() !== offset || !this.#outstanding.has(offset)) continue;
        if (!batch && offset >= this.#log.durableEnd) {
          retryMs = loadRetryMs;
          break;
        }
        if (batch && batch.baseOffset <= offset) {
          reader.reset(batch, offset);
          if (reader.next(record) && record.offset === offset)
            this.#host.due(this.#heap.firstPartitionId(), offset, copyRecord(record));
        }
        this.#outstanding.delete(offset);
        this.#meter.set(this.#outstanding.size);
        this.#pop();
        this.#log.trim(this.#outstanding.nextPresent(0) ?? this.#log.endOffset);
      }
    } catch {
      retryMs = loadRetryMs; // the log reports its own errors
    } finally {
      if (retryMs === undefined) {
        this.#running = false;
        this.#arm();
      } else this.#retryAfter(retryMs);
    }
  }

  /** Removes the first entry, which has been handled. */
  #pop(): void {
    this.#left(this.#heap.firstPartitionId());
    this.#heap.pop();
  }

  /**
   * Tries again after `delayMs`. Until then no other message is tried, because the one that is due cannot be
   * read.
   */
  #retryAfter(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#timer = this.#host.clock.setTimer(delayMs, () => {
      this.#running = false;
      this.#arm();
    });
  }
}
