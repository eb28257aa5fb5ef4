import type { Record } from '../../log/index.ts';
import { IndexedHeap } from '../../util/index.ts';
import type { Attachment } from './attachment.ts';
import type { Meter } from '../budgets.ts';
import type { BrokerError } from '../errors.ts';
import { KeyReader } from '../partitions/filter.ts';
import type { KeyLimits } from './key-limits.ts';
import { LevelQueue } from './level-queue.ts';
import { OrderedKey, OwnedKeys, precedes } from './ordered-key.ts';
import { PendingState, type PendingEntries, type PendingEntry } from './pending.ts';
import type { Ranking } from './ranking.ts';

type Key = OrderedKey<PendingEntry>;

/**
 * Order by key, on one partition of a group with `ordering: 'key'`. Messages of a key that may not be
 * delivered yet are pending, in the line of their key. Keys whose first message in line may go wait in a
 * queue: that of the consumer that has their run, or that of the keys free for any consumer. So the next
 * message for a consumer is found without a search.
 *
 * A key is free when none of its messages is out. A message that fails goes back in line, and nothing behind
 * it is delivered before it, unless the group gave up the order within keys (`keyConcurrency`).
 */
export class KeyOrder {
  readonly #pending: PendingEntries;
  /** Charged for the keys and the messages in line. */
  readonly #meter: Meter;
  readonly #ranking: Ranking;
  readonly #keyReader = new KeyReader();
  readonly #keys = new Map<string, Key>();
  readonly #free = new LevelQueue<Key>();
  readonly #owned = new Map<Attachment<PendingEntry>, OwnedKeys<PendingEntry>>();
  /** Keys with a hold or a rate, by the time to look at them again. */
  readonly #due = new IndexedHeap<Key>((a, b) => a.dueMs < b.dueMs);
  /** Keys with a hold. */
  readonly #keysHeld = new Set<Key>();
  #limits: KeyLimits;
  #inLine = 0;
  #held = 0;

  constructor(pending: PendingEntries, meter: Meter, limits: KeyLimits, ranking: Ranking) {
    this.#pending = pending;
    this.#ranking = ranking;
    this.#meter = meter;
    this.#limits = limits;
  }

  /** Number of messages in line that were never delivered. */
  get held(): number {
    return this.#held;
  }

  /** Whether so many messages are held that no more are looked at. */
  get holdsEnough(): boolean {
    return this.#held >= this.#limits.heldMax;
  }

  /** Number of keys with something to remember, plus messages in line. */
  get underWay(): number {
    return this.#keys.size + this.#inLine;
  }

  /** Whether the broker's budget for ordered groups is used up. */
  get isFull(): boolean {
    return this.#meter.isFull;
  }

  /** Changes the limits from now on. */
  setLimits(limits: KeyLimits, nowMs: number): void {
    if (sameLimits(limits, this.#limits)) return;
    this.#limits = limits;
    for (const key of this.#keys.values()) {
      key.changeRate(limits.rate, nowMs);
      this.#look(key, nowMs);
    }
  }

  // ---- messages at the cursor

  /** Whether a message that is not pending yet may be delivered to the consumer now. */
  admits(record: Record, to: Attachment<PendingEntry>): boolean {
    const key = this.#keys.get(this.#keyReader.read(record));
    if (key === undefined) return this.#mayTakeKey(to);
    if (key.first !== undefined || key.isBlocked || !this.#hasRoom(key)) return false;
    if (this.#isInRun(key)) return this.#owned.get(to) === key.owner;
    return this.#mayTakeKey(to);
  }

  /** The message becomes pending, and the last of its level in the line of its key. */
  hold(record: Record, level: number): void {
    const name = this.#keyReader.read(record);
    const entry = this.#pending.add(record.offset, 0);
    entry.key = name;
    entry.level = level;
    entry.timestampMs = record.timestampMs;
    this.#pending.hold(entry);
    this.#enterLine(entry, this.#keyOf(name));
  }

  // ---- messages in line

  /**
   * The next message in line for the consumer; it stays there. Of a key of the consumer's own and a free key,
   * the older message goes first, unless the other has a higher level.
   */
  next(to: Attachment<PendingEntry>): PendingEntry | undefined {
    const open = this.#owned.get(to)?.open;
    const own = open && this.#peek(open);
    const free = this.#mayTakeKey(to) ? this.#peek(this.#free) : undefined;
    if (own === undefined || free === undefined) return (own ?? free)?.first;
    const lead = this.#rankOf(own) - this.#rankOf(free);
    const ownGoes = this.#ranking.isAgeing && lead !== 0 ? lead > 0 : precedes(own.first!, free.first!);
    return ownGoes ? own.first : free.first;
  }

  /** Number of keys in a queue; some may have left it. */
  get deliverable(): number {
    let count = this.#free.size;
    for (const { open } of this.#owned.values()) count += open.size;
    return count;
  }

  /** The first key of the queue with a message to deliver. Drops keys that are in the queue no more. */
  #peek(queue: LevelQueue<Key>): Key | undefined {
    if (this.#ranking.isAgeing && queue.level > 0) return this.#peekByRank(queue);
    for (let key = queue.peek(); key; key = queue.peek()) {
      if (key.queue === queue && key.level === queue.level) {
        if (this.#isDeliverable(key)) return key;
        key.queue = undefined;
      }
      queue.shift();
    }
    return undefined;
  }

  /**
   * The same in a topic with ageing: of the first keys of all levels, that with the message of the highest
   * rank.
   */
  #peekByRank(queue: LevelQueue<Key>): Key | undefined {
    return queue.best(
      (key, level) => {
        if (key.queue !== queue || key.level !== level) return false;
        if (this.#isDeliverable(key)) return true;
        key.queue = undefined;
        return false;
      },
      (key) => this.#rankOf(key),
    );
  }

  /** The rank of a key is that of its first message in line. */
  #rankOf(key: Key): number {
    return this.#ranking.ofWaiting(key.first!);
  }

  /** A ready entry whose key was not known, after a restart, gets into the line of its key. */
  sortIn(entry: PendingEntry, record: Record): void {
    entry.key ??= this.#keyReader.read(record);
    entry.timestampMs ??= record.timestampMs;
    this.#pending.hold(entry);
    this.#enterLine(entry, this.#keyOf(entry.key));
  }

  // ---- deliveries and answers

  /** The message is delivered. `to` is undefined for a consumer of before a restart. */
  deliver(
    entry: PendingEntry,
    record: Record,
    to: Attachment<PendingEntry> | undefined,
    nowMs: number,
  ): void {
    if (entry.isOut) return;
    entry.key ??= this.#keyReader.read(record);
    if (entry.orderedKey) this.#leaveLine(entry, entry.orderedKey);
    const key = this.#keyOf(entry.key);
    entry.orderedKey = key;
    entry.isOut = true;
    if (key.out++ === 0 && to !== undefined && this.#consumersOwnKeys) this.#startRun(key, to);
    this.#spend(key, nowMs);
    this.#place(key);
  }

  /** A message was delivered that nobody answers (`ack: 'none'`). */
  deliverForGood(record: Record, nowMs: number): void {
    if (this.#limits.rate === undefined) return;
    const key = this.#keyOf(this.#keyReader.read(record));
    this.#spend(key, nowMs);
    this.#place(key);
  }

  #spend(key: Key, nowMs: number): void {
    if (key.queue?.peek() === key) key.queue.shift();
    key.queue = undefined;
    const { rate } = this.#limits;
    if (rate === undefined) return;
    key.spend(rate, nowMs);
    this.#watch(key, nowMs);
  }

  /**
   * The entry is out no more, and not done: it goes back in line, where it waits for its time, a consumer, or
   * the dead-letter topic. Its new state is set already.
   */
  returned(entry: PendingEntry): void {
    const key = entry.orderedKey;
    if (key === undefined) return;
    if (entry.isOut) {
      key.isStopped = true;
      this.#answered(entry, key);
    } else this.#leaveLine(entry, key);
    // Without an order within keys, a message that waits for its time or leaves keeps no other back.
    if (!this.#isConcurrent || entry.state === PendingState.held) this.#enterLine(entry, key);
    else this.#place(key);
  }

  /** The wait of the entry is over: it may go when its turn comes. False if its key is not known. */
  makeReady(entry: PendingEntry): boolean {
    if (entry.key === undefined) return false;
    this.#pending.hold(entry);
    if (entry.isOut) this.returned(entry);
    else if (entry.orderedKey) this.#place(entry.orderedKey);
    else this.#enterLine(entry, this.#keyOf(entry.key));
    return true;
  }

  /** The entry is done. */
  done(entry: PendingEntry): void {
    const key = entry.orderedKey;
    if (key === undefined) return;
    if (entry.isOut) this.#answered(entry, key);
    else this.#leaveLine(entry, key);
    this.#place(key);
  }

  /** The entry failed and is given up: it is done, and its run gets no more messages. */
  givenUp(entry: PendingEntry): void {
    if (entry.isOut) entry.orderedKey!.isStopped = true;
    this.done(entry);
  }

  #answered(entry: PendingEntry, key: Key): void {
    entry.isOut = false;
    entry.orderedKey = undefined;
    if (--key.out === 0) this.#endRun(key);
  }

  #enterLine(entry: PendingEntry, key: Key): void {
    key.insert(entry);
    this.#inLine++;
    if (entry.deliveries === 0) this.#held++;
    this.#place(key);
  }

  #leaveLine(entry: PendingEntry, key: Key): void {
    key.remove(entry);
    this.#inLine--;
    if (entry.deliveries === 0) this.#held--;
  }

  // ---- runs

  /** Whether it matters which consumer has a key. */
  get #consumersOwnKeys(): boolean {
    return this.#limits.runMax > 1 || this.#limits.keysPerConsumerMax < Infinity;
  }

  get #isConcurrent(): boolean {
    return this.#limits.concurrency > 1;
  }

  /** Whether only the consumer that has the key may get more of it. */
  #isInRun(key: Key): boolean {
    return key.out > 0 && !this.#isConcurrent;
  }

  #hasRoom(key: Key): boolean {
    if (this.#isConcurrent) return key.out < this.#limits.concurrency;
    return key.out === 0 || (key.owner !== undefined && !key.isStopped && key.out < this.#limits.runMax);
  }

  #mayTakeKey({ keys }: Attachment<PendingEntry>): boolean {
    return keys < this.#limits.keysPerConsumerMax;
  }

  #startRun(key: Key, to: Attachment<PendingEntry>): void {
    let owned = this.#owned.get(to);
    if (owned === undefined) this.#owned.set(to, (owned = new OwnedKeys(to)));
    owned.count++;
    to.keys++;
    key.owner = owned;
  }

  #endRun(key: Key): void {
    key.isStopped = false;
    const { owner } = key;
    if (owner === undefined) return;
    key.owner = undefined;
    owner.consumer.keys--;
    if (--owner.count === 0) this.#owned.delete(owner.consumer);
  }

  // ---- holds and rates

  /** Nothing of the key is delivered before `untilMs`. */
  holdKey(name: string, untilMs: number, nowMs: number): void {
    const key = this.#keyOf(name);
    key.heldUntilMs = Math.max(key.heldUntilMs, untilMs);
    this.#keysHeld.add(key);
    this.#look(key, nowMs);
  }

  /** Why no key may be held now; undefined if it may. The key is remembered until its hold ends. */
  get keyHoldRefusal(): BrokerError | undefined {
    return this.#meter.refusalOf(this.underWay + 1);
  }

  /** Ends the holds of all keys, and returns their number. */
  endKeyHolds(nowMs: number): number {
    const keys = [...this.#keysHeld];
    for (const key of keys) {
      key.heldUntilMs = -Infinity;
      this.#look(key, nowMs);
    }
    return keys.length;
  }

  /** The keys held, each with the end of its hold on the monotonic clock. */
  *keyHolds(): IterableIterator<[name: string, untilMs: number]> {
    for (const { name, heldUntilMs } of this.#keysHeld) yield [name, heldUntilMs];
  }

  get keysHeld(): number {
    return this.#keysHeld.size;
  }

  /** When to call {@link expire}; Infinity for never. */
  nextDueMs(): number {
    return this.#due.peek()?.dueMs ?? Infinity;
  }

  /** Keys go on whose hold is over, or whose rate allows it again. */
  expire(nowMs: number): void {
    for (let key = this.#due.peek(); key && key.dueMs <= nowMs; key = this.#due.peek())
      this.#look(key, nowMs);
  }

  #look(key: Key, nowMs: number): void {
    this.#watch(key, nowMs);
    this.#place(key);
  }

  #watch(key: Key, nowMs: number): void {
    this.#due.remove(key);
    key.look(nowMs);
    if (key.heldUntilMs <= nowMs) this.#keysHeld.delete(key);
    if (key.dueMs < Infinity) this.#due.push(key);
  }

  // ---- keys

  #keyOf(name: string): Key {
    let key = this.#keys.get(name);
    if (key === undefined) this.#keys.set(name, (key = new OrderedKey(name)));
    return key;
  }

  #isDeliverable(key: Key): boolean {
    return key.first?.state === PendingState.held && !key.isBlocked && this.#hasRoom(key);
  }

  /** Puts the key into the queue of those that may get its next message, or forgets it. */
  #place(key: Key): void {
    if (this.#isDeliverable(key)) {
      const queue = this.#isInRun(key) ? key.owner!.open : this.#free;
      const { level } = key.first!;
      if (key.queue !== queue || key.level !== level) {
        key.queue = queue;
        key.level = level;
        queue.push(key);
      }
    } else if (key.isIdle) this.#keys.delete(key.name);
    this.#meter.set(this.underWay);
  }

  /** Forgets everything, because the position moves. */
  clear(): void {
    for (const [consumer, { count }] of this.#owned) consumer.keys -= count;
    this.#owned.clear();
    this.#keys.clear();
    this.#free.clear();
    this.#due.clear();
    this.#keysHeld.clear();
    this.#inLine = 0;
    this.#held = 0;
    this.#meter.set(0);
  }

  /** Called when the group is closed. */
  close(): void {
    this.#meter.close();
  }
}

function sameLimits(a: KeyLimits, b: KeyLimits): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
