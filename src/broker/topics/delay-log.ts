import { BatchReader, Record, type PartitionLog } from '../../log/index.ts';
import { DueTable, type Clock, type SteadyTime, type Timer } from '../../util/index.ts';
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

/** The place of a delayed message. */
export interface DelayedPlace {
  /** Its offset in the delay log. */
  readonly offset: number;
  /** Wall clock. */
  readonly dueMs: number;
  readonly partitionId: number;
}

const loadRetryMs = 1000;
/** Messages that one page passes over: some milliseconds. */
const slotsPerPageMax = 200_000;

/**
 * The delay log holds delayed messages until they are due. They are stored in a log of their own, with an
 * index of 28 bytes per message in memory.
 */
export class DelayLog {
  readonly #host: DelayLogHost;
  readonly #log: PartitionLog;
  readonly #table = new DueTable();
  /** Number of delayed messages of each partition, by its id. */
  readonly #waiting = new Map<number, number>();
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
    return this.#table.size;
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
   * does not change the wait. A record that waits already is moved to that time.
   */
  add(offset: number, dueMs: number, partitionId: number): void {
    const steadyMs = this.#host.steady.of(dueMs);
    if (!this.#table.move(offset, steadyMs)) {
      this.#table.add(steadyMs, offset, partitionId);
      this.#meter.set(this.#table.size);
      this.#waiting.set(partitionId, this.countOf(partitionId) + 1);
    }
    this.#arm();
  }

  /** The records at these offsets were delivered or are dropped. Returns how many of them waited. */
  remove(offsets: readonly number[]): number {
    let removed = 0;
    for (const offset of offsets) if (this.#remove(offset)) removed++;
    this.#removed();
    return removed;
  }

  #remove(offset: number): boolean {
    const partitionId = this.#table.partitionIdOf(offset);
    if (partitionId === undefined) return false;
    this.#table.remove(offset);
    const left = this.countOf(partitionId) - 1;
    if (left > 0) this.#waiting.set(partitionId, left);
    else this.#waiting.delete(partitionId);
    return true;
  }

  #removed(): void {
    this.#meter.set(this.#table.size);
    this.#log.trim(this.#table.lowestOffset() ?? this.#log.endOffset);
  }

  /** Ids of the partitions with delayed messages. */
  get partitionIds(): Iterable<number> {
    return this.#waiting.keys();
  }

  /** Number of delayed messages of a partition. */
  countOf(partitionId: number): number {
    return this.#waiting.get(partitionId) ?? 0;
  }

  /** Where a delayed message stands; undefined if none waits at this offset. */
  placeOf(offset: number): DelayedPlace | undefined {
    const steadyMs = this.#table.dueMsOf(offset);
    if (steadyMs === undefined) return undefined;
    const partitionId = this.#table.partitionIdOf(offset)!;
    return { offset, dueMs: this.#host.steady.toWall(steadyMs), partitionId };
  }

  /**
   * The first delayed messages of these partitions (absent: of all), from an offset on, in the order of their
   * publishes, and the offset to go on from; undefined if there are no more. Passes over a bounded number of
   * messages of other partitions, so that there may be fewer than the limit, or none.
   */
  page(
    partitionIds: ReadonlySet<number> | undefined,
    from: number,
    limit: number,
    slotsMax: number = slotsPerPageMax,
  ): { readonly places: readonly DelayedPlace[]; readonly next: number | undefined } {
    const places: DelayedPlace[] = [];
    let left = this.#table.size;
    if (partitionIds) {
      left = 0;
      for (const id of partitionIds) left += this.countOf(id);
    }
    if (left === 0) return { places, next: undefined };
    const { aheadMs } = this.#host.steady;
    const next = this.#table.visit(
      from,
      (offset, dueMs, partitionId) => {
        places.push({ offset, dueMs: dueMs + aheadMs, partitionId });
        return places.length < limit;
      },
      partitionIds,
      slotsMax,
    );
    return { places, next: places.length === left ? undefined : next };
  }

  /** Offsets of the delayed messages of a partition, ascending. */
  offsetsOf(partitionId: number): readonly number[] {
    return this.page(new Set([partitionId]), 0, Infinity, Infinity).places.map(({ offset }) => offset);
  }

  /** The same for messages whose keys pass the filter. The messages are read, so they must be durable. */
  async matching(partitionId: number, filter: Filter): Promise<readonly number[]> {
    const found: number[] = [];
    await this.read(this.offsetsOf(partitionId), (record) => {
      if (filter.matchesRecord(record)) found.push(record.offset);
    });
    return found.filter((offset) => this.#table.has(offset)); // some became due meanwhile
  }

  /**
   * Reads the records at these ascending offsets; they must be durable. Records that cannot be read are left
   * out. The record is a flyweight: it is valid inside the call.
   */
  async read(offsets: readonly number[], take: (record: Record) => void): Promise<void> {
    const reader = new BatchReader();
    const record = new Record();
    let at = 0;
    while (at < offsets.length) {
      const offset = offsets[at]!;
      const batch = this.#log.cached(offset) ?? (await this.#log.load(offset));
      if (batch) {
        reader.reset(batch, offset);
        while (at < offsets.length && reader.next(record)) {
          while (at < offsets.length && offsets[at]! < record.offset) at++;
          if (offsets[at] === record.offset) take(record);
        }
      }
      const end = batch?.endOffset ?? offset + 1;
      while (at < offsets.length && offsets[at]! < end) at++;
    }
  }

  /** Due time, offset and partition of every delayed message, in the order of offsets. */
  *entries(): Iterable<readonly [dueMs: number, offset: number, partitionId: number]> {
    const pageSize = 10_000;
    for (let from: number | undefined = 0; from !== undefined;) {
      const page = this.page(undefined, from, pageSize);
      for (const { dueMs, offset, partitionId } of page.places) yield [dueMs, offset, partitionId];
      from = page.next;
    }
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
    const dueMs = this.#table.firstDueMs();
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
      while (!this.#stopped && this.#isDue()) {
        const offset = this.#table.firstOffset();
        const batch = this.#log.cached(offset) ?? (await this.#log.load(offset));
        if (this.#stopped) break;
        // The message was removed or moved meanwhile, or one that is due earlier was added.
        if (this.#table.firstOffset() !== offset || !this.#isDue()) continue;
        if (!batch && offset >= this.#log.durableEnd) {
          retryMs = loadRetryMs;
          break;
        }
        if (batch && batch.baseOffset <= offset) {
          reader.reset(batch, offset);
          if (reader.next(record) && record.offset === offset)
            this.#host.due(this.#table.firstPartitionId(), offset, copyRecord(record));
        }
        this.#remove(offset);
        this.#removed();
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

  #isDue(): boolean {
    return this.#table.firstDueMs() <= this.#host.steady.now();
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
