import { Queue } from '../../util/index.ts';
import type { Attachment, Held } from './attachment.ts';
import { type DeadlineList, Deadlines, type Timed } from './deadlines.ts';
import type { StoredWait } from '../entries.ts';

/** Where a pending entry stands. */
export const PendingState = {
  /** With a consumer, until its deadline. */
  inFlight: 0,
  /** Failed; waits for its time. */
  waiting: 1,
  /** Goes out next, before anything the cursor finds. */
  ready: 2,
  /** Behind another message of its key (`ordering: 'key'`). */
  held: 3,
  /** Given up; on its way to the dead-letter topic. */
  leaving: 4,
} as const;
export type PendingState = (typeof PendingState)[keyof typeof PendingState];

/**
 * A pending entry is a message that a group's cursor has passed and that is not done: delivered and
 * unanswered, or failed and to be redelivered, or held. Offset, deliveries and the deadline are stored; the
 * rest is remembered.
 */
export class PendingEntry implements Timed<PendingEntry>, Held<PendingEntry> {
  readonly partition: number;
  readonly offset: number;
  /** How often it was delivered. */
  deliveries: number;
  /** Deliveries that consumers gave back as they left; they do not count as failures. Stored, too. */
  released = 0;
  /** Number of its last delivery in the group. */
  sequence = 0;
  /** Number of its first one; 0 = before the last restart. */
  firstSequence = 0;
  state: PendingState = PendingState.held;
  /** Deadline (in flight) or time of redelivery (waiting), on the monotonic clock. */
  dueMs = 0;
  /** When it was first delivered, milliseconds since the epoch; 0 = before the last restart. */
  firstDeliveredMs = 0;
  /** The message's own time; undefined = not read since the last restart. */
  timestampMs: number | undefined = undefined;
  /** Why the last delivery failed, where the consumer said so. */
  failure: string | undefined = undefined;
  /** Its key, where the topic keeps key state or the group keeps order per key. */
  key: string | undefined = undefined;
  /** It is the one of its key that is under way; those behind it are held. */
  holdsKey = false;
  /** When it was last delivered, milliseconds since the epoch; 0 = before the last restart. */
  deliveredMs = 0;
  /** Who has it in flight, and its neighbours among what that consumer holds. */
  holder: Attachment<PendingEntry> | undefined = undefined;
  previousHeld: PendingEntry | undefined = undefined;
  nextHeld: PendingEntry | undefined = undefined;
  /** Its place among the deadlines. */
  list: DeadlineList<PendingEntry> | undefined = undefined;
  previous: PendingEntry | undefined = undefined;
  next: PendingEntry | undefined = undefined;
  heapIndex = -1;

  constructor(partition: number, offset: number, deliveries: number) {
    this.partition = partition;
    this.offset = offset;
    this.deliveries = deliveries;
  }

  /** Deliveries that count against the group's limit. */
  get attempts(): number {
    return this.deliveries - this.released;
  }
}

/**
 * Pending entries of one group on one partition.
 *
 * ```
 *            deliver                  ack, reject
 *   cursor ──────────► in flight ─────────────────────► done (gone from here)
 *                       ▲     │ nack, deadline
 *                deliver│     ▼
 *                     ready ◄── waiting (backoff)
 *                       ▲
 *                     held (its key is under way)
 * ```
 * Entries in flight and waiting entries stand in {@link Deadlines}.
 */
export class PendingEntries {
  readonly #partition: number;
  readonly #entries = new Map<number, PendingEntry>();
  readonly #deadlines = new Deadlines<PendingEntry>();
  readonly #ready = new Queue<PendingEntry>();
  /** Waits that a start has read back, until {@link resume} has used them. */
  readonly #storedWaits = new Map<number, StoredWait>();
  #readyCount = 0;
  #inFlight = 0;
  #redelivered = 0;

  constructor(partition: number) {
    this.#partition = partition;
  }

  get size(): number {
    return this.#entries.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get readyCount(): number {
    return this.#readyCount;
  }

  /** Entries that were delivered more than once. */
  get redelivered(): number {
    return this.#redelivered;
  }

  get(offset: number): PendingEntry | undefined {
    return this.#entries.get(offset);
  }

  has(offset: number): boolean {
    return this.#entries.has(offset);
  }

  /** In the order in which they became pending: ascending offsets. */
  values(): IterableIterator<PendingEntry> {
    return this.#entries.values();
  }

  /** The pending entry with the lowest offset. */
  first(): PendingEntry | undefined {
    for (const entry of this.#entries.values()) return entry;
    return undefined;
  }

  /** Offsets must be added in ascending order. */
  add(offset: number, deliveries: number): PendingEntry {
    const entry = new PendingEntry(this.#partition, offset, deliveries);
    this.#entries.set(offset, entry);
    return entry;
  }

  /**
   * Puts an entry in its place that was read back from the journal; its last count of deliveries holds, and
   * its last wait.
   */
  restore(offset: number, deliveries: number, wait?: StoredWait): void {
    if (wait && deliveries > 0) this.#storedWaits.set(offset, wait);
    else this.#storedWaits.delete(offset);
    const entry = this.#entries.get(offset) ?? this.add(offset, 0);
    if (entry.deliveries > 1) this.#redelivered--;
    entry.deliveries = deliveries;
    if (deliveries > 1) this.#redelivered++;
  }

  /** How often an entry that was restored had been given back. */
  restoreReleased(offset: number, released: number): void {
    const entry = this.#entries.get(offset);
    if (entry) entry.released = released;
  }

  /** The wait of an entry that was restored has changed. */
  restoreWait(offset: number, wait: StoredWait): void {
    if (this.#entries.has(offset)) this.#storedWaits.set(offset, wait);
  }

  /**
   * In flight again after a restart, for what is left of its wait; no new delivery. Where nothing is stored of
   * the wait the group's begins now. `steadyMs` is now, and `steadyOf` makes stored times comparable to it.
   */
  resume(
    entry: PendingEntry,
    nowMs: number,
    groupWaitMs: number,
    steadyMs: number,
    steadyOf: (wallMs: number) => number,
  ): void {
    const { sinceMs, waitMs } = this.#storedWaits.get(entry.offset) ?? { sinceMs: undefined };
    const longestMs = waitMs ?? groupWaitMs;
    // The wall clock may have been set while the broker was down: nothing waits longer than its whole wait.
    const passedMs = sinceMs === undefined ? 0 : Math.max(0, steadyMs - steadyOf(sinceMs));
    const startMs = nowMs - Math.min(passedMs, longestMs);
    entry.state = PendingState.inFlight;
    this.#inFlight++;
    if (waitMs === undefined) this.#deadlines.startWait(entry, startMs, groupWaitMs);
    else this.#deadlines.startUntil(entry, startMs + waitMs);
  }

  /** All entries that a start has read back are in their places. */
  recovered(): void {
    this.#storedWaits.clear();
  }

  /** How long it is until an entry is due, in whole milliseconds; undefined if it waits for nothing. */
  leftMs(offset: number, nowMs: number): number | undefined {
    const entry = this.#entries.get(offset);
    return entry && isTimed(entry) ? Math.max(0, Math.ceil(entry.dueMs - nowMs)) : undefined;
  }

  /** The wait of an entry as it is stored, by a wall clock that is at `wallMs` now. */
  waitOf(entry: PendingEntry, nowMs: number, wallMs: number): StoredWait | undefined {
    if (!isTimed(entry)) return undefined;
    const { list, dueMs } = entry;
    // The wait of a list is the group's.
    if (list) return { sinceMs: Math.floor(wallMs - nowMs + dueMs - list.waitMs), waitMs: undefined };
    return { sinceMs: Math.floor(wallMs), waitMs: Math.max(0, Math.ceil(dueMs - nowMs)) };
  }

  /**
   * Delivered to `holder`: the entry is in flight until `waitMs` from now. `isOwn`: the wait is the
   * consumer's own, and stays when those of the group change.
   */
  deliver(
    entry: PendingEntry,
    holder: Attachment<PendingEntry>,
    nowMs: number,
    waitMs: number,
    isOwn: boolean,
  ): void {
    this.#leave(entry);
    holder.add(entry);
    entry.deliveries++;
    if (entry.deliveries === 2) this.#redelivered++;
    entry.state = PendingState.inFlight;
    this.#inFlight++;
    if (isOwn) this.#deadlines.startUntil(entry, nowMs + waitMs);
    else this.#deadlines.startWait(entry, nowMs, waitMs);
  }

  /** In flight for another `waitMs` from now. */
  extend(entry: PendingEntry, nowMs: number, waitMs: number): void {
    this.#deadlines.remove(entry);
    this.#deadlines.startWait(entry, nowMs, waitMs);
  }

  /** In flight until `dueMs`, whatever the group's waits are. */
  extendUntil(entry: PendingEntry, dueMs: number): void {
    this.#deadlines.remove(entry);
    this.#deadlines.startUntil(entry, dueMs);
  }

  /**
   * The group's waits have changed: what is in flight has as long as they say now, from when its wait began.
   */
  rewait(waitMsOf: (deliveries: number) => number): void {
    for (const [entry, sinceMs] of this.#deadlines.waits()) {
      this.#deadlines.remove(entry);
      this.#deadlines.startWait(entry, sinceMs, waitMsOf(entry.deliveries));
    }
  }

  /** Failed: goes out again, not before `dueMs`. */
  wait(entry: PendingEntry, dueMs: number): void {
    this.#leave(entry);
    entry.state = PendingState.waiting;
    this.#deadlines.startUntil(entry, dueMs);
  }

  /** Goes out again as soon as somebody takes it. */
  makeReady(entry: PendingEntry): void {
    this.#leave(entry);
    entry.state = PendingState.ready;
    this.#ready.push(entry);
    this.#readyCount++;
  }

  hold(entry: PendingEntry): void {
    this.#leave(entry);
    entry.state = PendingState.held;
  }

  /** On its way out; it stays pending until removed. */
  leaveForGood(entry: PendingEntry): void {
    this.#leave(entry);
    entry.state = PendingState.leaving;
  }

  remove(entry: PendingEntry): void {
    this.#leave(entry);
    entry.state = PendingState.leaving;
    if (entry.deliveries > 1) this.#redelivered--;
    this.#entries.delete(entry.offset);
  }

  /** The next entry to redeliver, left where it is. */
  nextReady(): PendingEntry | undefined {
    for (let entry = this.#ready.peek(); entry; entry = this.#ready.peek()) {
      if (entry.state === PendingState.ready) return entry;
      this.#ready.shift(); // left the state since it was queued
    }
    return undefined;
  }

  /** The earliest deadline or redelivery time; Infinity when there is none. */
  nextDueMs(): number {
    return this.#deadlines.nextDueMs();
  }

  /**
   * Makes ready what waited until now; calls back for each entry whose deadline has passed, which must take
   * it out of flight.
   */
  expire(nowMs: number, deadlinePassed: (entry: PendingEntry) => void): void {
    for (let entry = this.#deadlines.due(nowMs); entry; entry = this.#deadlines.due(nowMs)) {
      if (entry.state === PendingState.waiting) this.makeReady(entry);
      else deadlinePassed(entry);
    }
  }

  /** Forgets everything. */
  clear(): void {
    for (const entry of this.#entries.values()) entry.holder?.remove(entry);
    this.#entries.clear();
    this.#storedWaits.clear();
    this.#deadlines.clear();
    this.#ready.clear();
    this.#readyCount = 0;
    this.#inFlight = 0;
    this.#redelivered = 0;
  }

  /**
   * Takes an entry out of the structure of its state. The queue drops its entries lazily, when they come up.
   */
  #leave(entry: PendingEntry): void {
    const wasTimed = this.#deadlines.remove(entry);
    if (entry.state === PendingState.inFlight) {
      if (wasTimed) this.#inFlight--;
      entry.holder?.remove(entry);
    } else if (entry.state === PendingState.ready && this.#readyCount > 0) {
      this.#readyCount--;
      // Else it would have its old place again when it becomes ready again.
      if (this.#ready.peek() === entry) this.#ready.shift();
    }
  }
}

/** It has a deadline, or a time of redelivery. */
function isTimed({ list, heapIndex }: PendingEntry): boolean {
  return list !== undefined || heapIndex >= 0;
}
