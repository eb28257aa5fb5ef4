import { BatchReader, Record, type PartitionLog } from '../log/index.ts';
import { OffsetSet, type Clock, type Timer } from '../util/index.ts';
import { copyRecord } from './message.ts';

/** What the schedule asks of the broker: to append a due message to its topic and note that it left, in one commit. */
export interface ScheduleHost {
  readonly clock: Clock;
  /** The message of `offset` is due; false when its partition is gone. */
  due(partitionId: number, offset: number, record: Record): void;
}

const loadRetryMs = 1000;

/**
 * The schedule holds delayed messages until they are due: stored in a log of its own, with an index of 24 bytes a message in memory.
 */
export class Schedule {
  readonly #host: ScheduleHost;
  readonly #log: PartitionLog;
  readonly #heap = new DueHeap();
  readonly #outstanding = new OffsetSet();
  #timer: Timer | undefined = undefined;
  #timerDueMs = Infinity;
  #running = false;
  /** Not before recovery is over: what is due by then could not be appended. */
  #started = false;
  #stopped = false;

  constructor(log: PartitionLog, host: ScheduleHost) {
    this.#log = log;
    this.#host = host;
  }

  get size(): number {
    return this.#outstanding.size;
  }

  get log(): PartitionLog {
    return this.#log;
  }

  /** Stores a record; returns its offset in the schedule. */
  append(record: Record): number {
    return this.#log.append(record);
  }

  /** Notes that the record at `offset` is due at `dueMs` (wall clock). */
  add(offset: number, dueMs: number, partitionId: number): void {
    this.#outstanding.add(offset);
    this.#heap.push(dueMs, offset, partitionId);
    this.#arm();
  }

  /** The record was delivered or dropped. */
  remove(offset: number): void {
    this.#outstanding.delete(offset);
    this.#log.trim(this.#outstanding.nextPresent(0) ?? this.#log.endOffset);
  }

  /** Due time, offset and partition of every delayed message. */
  *entries(): Iterable<readonly [dueMs: number, offset: number, partitionId: number]> {
    for (const entry of this.#heap.entries()) if (this.#outstanding.has(entry[1])) yield entry;
  }

  /** After recovery: timers begin. */
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
    this.#timer = this.#host.clock.setTimer(dueMs - this.#host.clock.now(), () => {
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
      while (!this.#stopped && this.#heap.firstDueMs() <= this.#host.clock.now()) {
        const offset = this.#heap.firstOffset();
        if (this.#outstanding.has(offset)) {
          const batch = this.#log.cached(offset) ?? (await this.#log.load(offset));
          if (this.#stopped) break;
          if (this.#heap.firstOffset() !== offset) continue; // one that is due earlier came meanwhile
          if (!batch && offset >= this.#log.durableEnd) {
            retryMs = loadRetryMs;
            break;
          }
          if (batch && batch.baseOffset <= offset && this.#outstanding.has(offset)) {
            reader.reset(batch, offset);
            if (reader.next(record) && record.offset === offset)
              this.#host.due(this.#heap.firstPartitionId(), offset, copyRecord(record));
          }
          this.remove(offset);
        }
        this.#heap.pop();
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

  /** Until then nothing else is looked at: what is due now cannot be read. */
  #retryAfter(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#timer = this.#host.clock.setTimer(delayMs, () => {
      this.#running = false;
      this.#arm();
    });
  }
}

const fields = 3;

/** A binary heap of (due time, offset, partition id), 24 bytes an entry, least due time first. */
class DueHeap {
  #slots = new Float64Array(64 * fields);
  #size = 0;

  firstDueMs(): number {
    return this.#size === 0 ? Infinity : this.#slots[0]!;
  }

  firstOffset(): number {
    return this.#slots[1]!;
  }

  firstPartitionId(): number {
    return this.#slots[2]!;
  }

  *entries(): Iterable<readonly [number, number, number]> {
    for (let at = 0; at < this.#size; at++) {
      yield [this.#slots[at * fields]!, this.#slots[at * fields + 1]!, this.#slots[at * fields + 2]!];
    }
  }

  push(dueMs: number, offset: number, partitionId: number): void {
    if ((this.#size + 1) * fields > this.#slots.length) {
      const grown = new Float64Array(this.#slots.length * 2);
      grown.set(this.#slots);
      this.#slots = grown;
    }
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#slots[parent * fields]! <= dueMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#set(at, dueMs, offset, partitionId);
  }

  pop(): void {
    const last = --this.#size;
    if (last <= 0) return;
    const from = last * fields;
    const dueMs = this.#slots[from]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#slots[(child + 1) * fields]! < this.#slots[child * fields]!) child++;
      if (this.#slots[child * fields]! >= dueMs) break;
      this.#move(child, at);
      at = child;
    }
    this.#set(at, dueMs, this.#slots[from + 1]!, this.#slots[from + 2]!);
  }

  #move(from: number, to: number): void {
    this.#slots.copyWithin(to * fields, from * fields, from * fields + fields);
  }

  #set(at: number, dueMs: number, offset: number, partitionId: number): void {
    this.#slots[at * fields] = dueMs;
    this.#slots[at * fields + 1] = offset;
    this.#slots[at * fields + 2] = partitionId;
  }
}
