import { OffsetSet } from '../../util/index.ts';
import type { Attachment, Held } from './attachment.ts';
import { type DeadlineList, Deadlines, type Timed } from './deadlines.ts';
import type { StoredWait } from '../entries.ts';
import { LevelQueue } from './level-queue.ts';
import type { InLine, OrderedKey } from './ordered-key.ts';
import type { Ranking } from './ranking.ts';

/** The state of a pending entry. */
export const PendingState = {
  /** With a consumer, until its deadline. */
  inFlight: 0,
  /** Failed; waits for its redelivery time. */
  waiting: 1,
  /** Redelivered next, before any message at the cursor. */
  ready: 2,
  /** In the line of its key (`ordering: 'key'`): see key-order.ts. */
  held: 3,
  /** Given up, and on its way to the dead-letter topic; or no longer pending. */
  leaving: 4,
  /** The message is past its time to live: the entry goes with it. */
  passed: 5,
} as const;
export type PendingState = (typeof PendingState)[keyof typeof PendingState];

/**
 * A pending entry is a message below a group's cursor, or ahead of it, that is not done: delivered and
 * unanswered, failed and to be redelivered, or held. Offset, deliveries and the deadline are stored; the rest
 * is remembered.
 */
export class PendingEntry implements Timed<PendingEntry>, Held<PendingEntry>, InLine<PendingEntry> {
  readonly partition: number;
  readonly offset: number;
  /** Number of deliveries. */
  deliveries: number;
  /** Number of the last delivery within the group; 0 = before the last restart. */
  sequence = 0;
  state: PendingState = PendingState.held;
  /** Deadline (in flight) or time of redelivery (waiting), on the monotonic clock. */
  dueMs = 0;
  /** Timestamp of the message; undefined = not read since the last restart. */
  timestampMs: number | undefined = undefined;
  /** The level of the message: see {@link Levels}. */
  level = 0;
  /** Key of the message, if the topic keeps key state or the group keeps order per key. */
  key: string | undefined = undefined;
  /** Whether the entry counts as out in its {@link OrderedKey}; otherwise it is in line there. */
  isOut = false;
  orderedKey: OrderedKey<PendingEntry> | undefined = undefined;
  aheadInLine: PendingEntry | undefined = undefined;
  behindInLine: PendingEntry | undefined = undefined;
  /** Time of the last delivery, in milliseconds since the epoch; 0 = before the last restart. */
  deliveredMs = 0;
  /** The consumer that has the entry in flight, and the entry's neighbours in the consumer's list. */
  holder: Attachment<PendingEntry> | undefined = undefined;
  previousHeld: PendingEntry | undefined = undefined;
  nextHeld: PendingEntry | undefined = undefined;
  /** The place of the entry in {@link Deadlines}. */
  list: DeadlineList<PendingEntry> | undefined = undefined;
  previous: PendingEntry | undefined = undefined;
  next: PendingEntry | undefined = undefined;
  heapIndex = -1;
  #past: Past | undefined = undefined;

  constructor(partition: number, offset: number, deliveries: number) {
    this.partition = partition;
    this.offset = offset;
    this.deliveries = deliveries;
  }

  /** Number of deliveries that count against the group's limit. */
  get attempts(): number {
    return this.deliveries - this.released;
  }

  /** Number of deliveries that consumers gave back, which do not count as failures. Stored, too. */
  get released(): number {
    return this.#past?.released ?? 0;
  }

  set released(released: number) {
    this.#keepPast().released = released;
  }

  /** Why the last delivery failed, if the consumer gave a reason. */
  get failure(): string | undefined {
    return this.#past?.failure;
  }

  set failure(failure: string | undefined) {
    if (failure !== undefined || this.#past) this.#keepPast().failure = failure;
  }

  /** Number of the first delivery within the group; 0 = before the last restart. */
  get firstSequence(): number {
    return this.#past ? this.#past.firstSequence : this.sequence;
  }

  /** Time of the first delivery since the last restart, in milliseconds since the epoch; 0 = none yet. */
  get firstDeliveredMs(): number {
    return this.#past ? this.#past.firstDeliveredMs : this.deliveredMs;
  }

  /** Notes a delivery that {@link deliveries} counts already. */
  noteDelivery(sequence: number, wallMs: number): void {
    if (this.deliveries > 1) {
      const past = this.#keepPast();
      if (past.firstDeliveredMs === 0) past.firstDeliveredMs = wallMs;
    }
    this.sequence = sequence;
    this.deliveredMs = wallMs;
  }

  #keepPast(): Past {
    return (this.#past ??= new Past(this.sequence, this.deliveredMs));
  }
}

/**
 * The past of a message that is not delivered for the first time. An object of its own: the million that are
 * out for the first time need no memory for it.
 */
class Past {
  readonly firstSequence: number;
  firstDeliveredMs: number;
  released = 0;
  failure: string | undefined = undefined;

  constructor(firstSequence: number, firstDeliveredMs: number) {
    this.firstSequence = firstSequence;
    this.firstDeliveredMs = firstDeliveredMs;
  }
}

/**
 * Pending entries of one group on one partition.
 *
 * ```
 *            deliver                  ack, reject
 *   cursor ──────────► in flight ─────────────────────► done (removed)
 *                       ▲     │ nack, deadline
 *                deliver│     ▼
 *                     ready ◄── waiting (backoff)
 *                       ▲
 *                     held (in the line of its key)
 * ```
 * With order by key, an entry is held until it is delivered, instead of ready.
 * Entries in flight and waiting entries have their due times in {@link Deadlines}.
 */
export class PendingEntries {
  readonly #partition: number;
  readonly #entries = new Map<number, PendingEntry>();
  readonly #deadlines = new Deadlines<PendingEntry>();
  readonly #ready = new LevelQueue<PendingEntry>();
  /** The offset that was added last. */
  #lastAdded = -1;
  /** The offsets in order; undefined as long as they were added in order. */
  #inOrder: OffsetSet | undefined = undefined;
  /** Waits read back during a start, until {@link resume} has used them. */
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

  /** Number of entries delivered more than once. */
  get redelivered(): number {
    return this.#redelivered;
  }

  get(offset: number): PendingEntry | undefined {
    return this.#entries.get(offset);
  }

  has(offset: number): boolean {
    return this.#entries.has(offset);
  }

  /**
   * In the order in which they became pending. That is the order of offsets, unless messages were delivered
   * before their turn.
   */
  values(): IterableIterator<PendingEntry> {
    return this.#entries.values();
  }

  /** In the order of offsets. The current entry may be removed during the iteration. */
  *ascending(): IterableIterator<PendingEntry> {
    const inOrder = this.#inOrder;
    if (inOrder === undefined) yield* this.#entries.values();
    else
      for (let at = inOrder.nextPresent(0); at !== undefined; at = inOrder.nextPresent(at + 1))
        yield this.#entries.get(at)!;
  }

  /** The pending entry with the lowest offset. */
  first(): PendingEntry | undefined {
    const lowest = this.#inOrder?.nextPresent(0);
    if (lowest !== undefined) return this.#entries.get(lowest);
    for (const entry of this.#entries.values()) return entry;
    return undefined;
  }

  add(offset: number, deliveries: number): PendingEntry {
    const entry = new PendingEntry(this.#partition, offset, deliveries);
    if (offset < this.#lastAdded && this.#inOrder === undefined && this.#entries.size > 0) {
      this.#inOrder = new OffsetSet();
      for (const before of this.#entries.keys()) this.#inOrder.add(before);
    }
    this.#inOrder?.add(offset);
    this.#lastAdded = offset;
    this.#entries.set(offset, entry);
    return entry;
  }

  /** Restores an entry from the journal. The last call for an offset sets its deliveries and its wait. */
  restore(offset: number, deliveries: number, wait?: StoredWait): void {
    if (wait && deliveries > 0) this.#storedWaits.set(offset, wait);
    else this.#storedWaits.delete(offset);
    const entry = this.#entries.get(offset) ?? this.add(offset, 0);
    if (entry.deliveries > 1) this.#redelivered--;
    entry.deliveries = deliveries;
    if (deliveries > 1) this.#redelivered++;
  }

  /** Restores how often a restored entry had been given back. */
  restoreReleased(offset: number, released: number): void {
    const entry = this.#entries.get(offset);
    if (entry) entry.released = released;
  }

  /** Replaces the wait of a restored entry. */
  restoreWait(offset: number, wait: StoredWait): void {
    if (this.#entries.has(offset)) this.#storedWaits.set(offset, wait);
  }

  /**
   * Puts an entry in flight again after a restart, for the rest of its wait; this is not a new delivery. If
   * no wait is stored, the group's wait starts now. `steadyMs` is now, and `steadyOf` makes stored times
   * comparable to it.
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
    // The wall clock may have been set while the broker was down: no entry waits longer than its whole wait.
    const passedMs = sinceMs === undefined ? 0 : Math.max(0, steadyMs - steadyOf(sinceMs));
    const startMs = nowMs - Math.min(passedMs, longestMs);
    entry.state = PendingState.inFlight;
    this.#inFlight++;
    if (waitMs === undefined) this.#deadlines.startWait(entry, startMs, groupWaitMs);
    else this.#deadlines.startUntil(entry, startMs + waitMs);
  }

  /** Called when all entries of the last run are restored. */
  recovered(): void {
    this.#storedWaits.clear();
  }

  /** The time until an entry is due, in whole milliseconds; undefined if it has no due time. */
  leftMs(offset: number, nowMs: number): number | undefined {
    const entry = this.#entries.get(offset);
    return entry && isTimed(entry) ? Math.max(0, Math.ceil(entry.dueMs - nowMs)) : undefined;
  }

  /** The wait of an entry in its stored form, where `wallMs` is the wall-clock time of now. */
  waitOf(entry: PendingEntry, nowMs: number, wallMs: number): StoredWait | undefined {
    if (!isTimed(entry)) return undefined;
    const { list, dueMs } = entry;
    // The wait of a list is the group's.
    if (list) return { sinceMs: Math.floor(wallMs - nowMs + dueMs - list.waitMs), waitMs: undefined };
    return { sinceMs: Math.floor(wallMs), waitMs: Math.max(0, Math.ceil(dueMs - nowMs)) };
  }

  /**
   * Delivers the entry to `holder`: it is in flight until `waitMs` from now. `isOwn`: the wait is the
   * consumer's own, and does not change with the waits of the group.
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

  /** Keeps the entry in flight for `waitMs` from now. */
  extend(entry: PendingEntry, nowMs: number, waitMs: number): void {
    this.#deadlines.remove(entry);
    this.#deadlines.startWait(entry, nowMs, waitMs);
  }

  /** Keeps the entry in flight until `dueMs`, whatever the group's waits are. */
  extendUntil(entry: PendingEntry, dueMs: number): void {
    this.#deadlines.remove(entry);
    this.#deadlines.startUntil(entry, dueMs);
  }

  /** Applies changed waits of the group to the entries in flight, counted from the start of their waits. */
  rewait(waitMsOf: (deliveries: number) => number): void {
    for (const [entry, sinceMs] of this.#deadlines.waits()) {
      this.#deadlines.remove(entry);
      this.#deadlines.startWait(entry, sinceMs, waitMsOf(entry.deliveries));
    }
  }

  /** The delivery failed: the entry is redelivered, not before `dueMs`. */
  wait(entry: PendingEntry, dueMs: number): void {
    this.#leave(entry);
    entry.state = PendingState.waiting;
    this.#deadlines.startUntil(entry, dueMs);
  }

  /** The entry is redelivered as soon as a consumer has credit. */
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

  /** The entry is given up; it stays pending until removed. */
  leaveForGood(entry: PendingEntry): void {
    this.#leave(entry);
    entry.state = PendingState.leaving;
  }

  /** The entry stays pending until its message is gone. */
  pass(entry: PendingEntry): void {
    this.#leave(entry);
    entry.state = PendingState.passed;
  }

  remove(entry: PendingEntry): void {
    this.#leave(entry);
    entry.state = PendingState.leaving;
    if (entry.deliveries > 1) this.#redelivered--;
    this.#entries.delete(entry.offset);
    if (this.#entries.size === 0) this.#inOrder = undefined;
    else this.#inOrder?.delete(entry.offset);
  }

  /** The next entry to redeliver, of the highest level or rank; it is not taken. */
  nextReady(ranking?: Ranking): PendingEntry | undefined {
    if (this.#readyCount > 0 && ranking?.isAgeing === true) return this.#nextByRank(ranking);
    for (let entry = this.#ready.peek(); entry; entry = this.#ready.peek()) {
      if (entry.state === PendingState.ready) return entry;
      this.#ready.shift(); // left the state since it was queued
    }
    return undefined;
  }

  /** The entry of the highest rank among the first ones of each level. */
  #nextByRank(ranking: Ranking): PendingEntry | undefined {
    return this.#ready.best(
      (entry) => entry.state === PendingState.ready,
      (entry) => ranking.ofWaiting(entry),
    );
  }

  /** The earliest deadline or redelivery time; Infinity if there is none. */
  nextDueMs(): number {
    return this.#deadlines.nextDueMs();
  }

  /**
   * Makes entries ready whose wait is over, or calls `waitOver`. Calls back for each entry whose deadline has
   * passed. The callbacks must take the entry out of its state.
   */
  expire(
    nowMs: number,
    deadlinePassed: (entry: PendingEntry) => void,
    waitOver: (entry: PendingEntry) => void = (entry) => this.makeReady(entry),
  ): void {
    for (let entry = this.#deadlines.due(nowMs); entry; entry = this.#deadlines.due(nowMs)) {
      if (entry.state === PendingState.waiting) waitOver(entry);
      else deadlinePassed(entry);
    }
  }

  /** Forgets everything. */
  clear(): void {
    for (const entry of this.#entries.values()) entry.holder?.remove(entry);
    this.#entries.clear();
    this.#inOrder = undefined;
    this.#storedWaits.clear();
    this.#deadlines.clear();
    this.#ready.clear();
    this.#readyCount = 0;
    this.#inFlight = 0;
    this.#redelivered = 0;
  }

  /**
   * Takes an entry out of the structure of its state. The ready queue drops its entries lazily, when they
   * come up.
   */
  #leave(entry: PendingEntry): void {
    const wasTimed = this.#deadlines.remove(entry);
    if (entry.state === PendingState.inFlight) {
      if (wasTimed) this.#inFlight--;
      entry.holder?.remove(entry);
    } else if (entry.state === PendingState.ready && this.#readyCount > 0) {
      this.#readyCount--;
      // Otherwise the entry would get its old place back when it becomes ready again.
      if (this.#ready.peekOf(entry.level) === entry) this.#ready.shiftOf(entry.level);
    }
  }
}

/** Whether the entry is to be delivered, at once or later. */
export function isToDeliver({ state }: PendingEntry): boolean {
  return state === PendingState.waiting || state === PendingState.ready || state === PendingState.held;
}

/** Whether the entry has a deadline or a redelivery time. */
function isTimed({ list, heapIndex }: PendingEntry): boolean {
  return list !== undefined || heapIndex >= 0;
}
