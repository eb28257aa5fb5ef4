import type { Record } from '../../log/index.ts';
import { Queue } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import { KeyReader } from '../partitions/filter.ts';
import { PendingState, type PendingEntries, type PendingEntry } from './pending.ts';

/**
 * Order by key, on one partition of a group with `ordering: 'key'`: at most one message of each key is under
 * way, and later messages of the key are held until it is done.
 */
export class KeyOrder {
  readonly #pending: PendingEntries;
  /** Charged for the keys under way and the messages held behind them. */
  readonly #meter: Meter;
  readonly #keyReader = new KeyReader();
  /** Keys with a message under way, and the entries held behind it. */
  readonly #keysUnderWay = new Map<string, Queue<PendingEntry>>();
  #held = 0;

  constructor(pending: PendingEntries, meter: Meter) {
    this.#pending = pending;
    this.#meter = meter;
  }

  /** Number of messages held behind their key. */
  get held(): number {
    return this.#held;
  }

  /** Keys with a message under way, plus messages held behind them. */
  get underWay(): number {
    return this.#keysUnderWay.size + this.#held;
  }

  /** Whether the broker's budget for ordered groups is used up. */
  get isFull(): boolean {
    return this.#meter.isFull;
  }

  /** Returns true if the message's key is under way. The message is then pending, and held. */
  holdBack(record: Record): boolean {
    const key = this.#keyReader.read(record);
    const behind = this.#keysUnderWay.get(key);
    if (!behind) return false;
    const entry = this.#pending.add(record.offset, 0);
    entry.key = key;
    entry.timestampMs = record.timestampMs;
    this.#hold(entry, behind);
    return true;
  }

  #hold(entry: PendingEntry, behind: Queue<PendingEntry>): void {
    this.#pending.hold(entry);
    behind.push(entry);
    this.#held++;
    this.#charge();
  }

  /** The message's key is under way from now until {@link release}. */
  lock(entry: PendingEntry, record: Record): void {
    entry.key ??= this.#keyReader.read(record);
    entry.holdsKey = true;
    if (this.#keysUnderWay.has(entry.key)) return;
    this.#keysUnderWay.set(entry.key, new Queue());
    this.#charge();
  }

  /**
   * Whether a ready entry may be delivered now. After a restart keys are not known: the first entry of each
   * key is delivered, the others are held behind it.
   */
  admitAgain(entry: PendingEntry, record: Record): boolean {
    if (entry.key !== undefined) return true;
    entry.key = this.#keyReader.read(record);
    const behind = this.#keysUnderWay.get(entry.key);
    if (!behind) return true;
    this.#hold(entry, behind);
    return false;
  }

  /**
   * The entry leaves the held state, if it was held. The queue of its key drops the entry when it comes up.
   */
  leave(entry: PendingEntry): void {
    if (entry.state !== PendingState.held || entry.key === undefined) return;
    this.#held--;
    this.#charge();
  }

  /** The entry that holds its key is done: the next entry of the key may be delivered. */
  release(entry: PendingEntry): void {
    entry.holdsKey = false;
    const behind = this.#keysUnderWay.get(entry.key!);
    if (!behind) return;
    for (let next = behind.shift(); next; next = behind.shift()) {
      if (next.state !== PendingState.held) continue; // settled while it was held
      this.#held--;
      this.#charge();
      next.holdsKey = true;
      this.#pending.makeReady(next);
      return;
    }
    this.#keysUnderWay.delete(entry.key!);
    this.#charge();
  }

  /** Forgets everything, because the position moves. */
  clear(): void {
    this.#keysUnderWay.clear();
    this.#held = 0;
    this.#charge();
  }

  #charge(): void {
    this.#meter.set(this.underWay);
  }

  /** Called when the group is closed. */
  close(): void {
    this.#meter.close();
  }
}
