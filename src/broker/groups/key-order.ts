import type { Record } from '../../log/index.ts';
import { Queue } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import { KeyReader } from '../partitions/filter.ts';
import { PendingState, type PendingEntries, type PendingEntry } from './pending.ts';

/**
 * Order by key: of each key at most one message is under way, and the messages behind it are held until it is
 * done. One partition's part of a group with `ordering: 'key'`.
 */
export class KeyOrder {
  readonly #pending: PendingEntries;
  /** Charged with the keys under way and the messages behind them. */
  readonly #meter: Meter;
  readonly #keyReader = new KeyReader();
  /** Keys with a message under way, and the entries that wait behind it. */
  readonly #keysUnderWay = new Map<string, Queue<PendingEntry>>();
  #held = 0;

  constructor(pending: PendingEntries, meter: Meter) {
    this.#pending = pending;
    this.#meter = meter;
  }

  /** Messages held behind their key. */
  get held(): number {
    return this.#held;
  }

  /** Keys under way, and messages held behind them. */
  get underWay(): number {
    return this.#keysUnderWay.size + this.#held;
  }

  /** Whether the broker's budget for it is used up. */
  get isFull(): boolean {
    return this.#meter.isFull;
  }

  /** True when the message's key is under way: it is pending from now on, and held. */
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
   * Whether a ready entry may go now. After a restart keys are not known: the first of each key goes, the
   * others are held behind it.
   */
  admitAgain(entry: PendingEntry, record: Record): boolean {
    if (entry.key !== undefined) return true;
    entry.key = this.#keyReader.read(record);
    const behind = this.#keysUnderWay.get(entry.key);
    if (!behind) return true;
    this.#hold(entry, behind);
    return false;
  }

  /** The entry is held no longer, if it was. The queue behind its key drops it when its turn comes. */
  leave(entry: PendingEntry): void {
    if (entry.state !== PendingState.held || entry.key === undefined) return;
    this.#held--;
    this.#charge();
  }

  /** The entry that holds its key is done: the next one of the key may go. */
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

  /** Forgets everything: the position moves. */
  clear(): void {
    this.#keysUnderWay.clear();
    this.#held = 0;
    this.#charge();
  }

  #charge(): void {
    this.#meter.set(this.underWay);
  }

  /** The group goes. */
  close(): void {
    this.#meter.close();
  }
}
