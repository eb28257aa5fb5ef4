import { type HeapItem, TokenBucket, type RateLimit } from '../../util/index.ts';
import type { Attachment, Held } from './attachment.ts';
import { LevelQueue } from './level-queue.ts';

/** An entry in the line of its key: it links to its neighbours. */
export interface InLine<T extends InLine<T>> extends Held<T> {
  readonly offset: number;
  /** The level of its priority. */
  readonly level: number;
  orderedKey: OrderedKey<T> | undefined;
  aheadInLine: T | undefined;
  behindInLine: T | undefined;
}

/** Whether `a` stands before `b` in line: its level is higher, or its offset lower in the same level. */
export function precedes(a: LineEntry, b: LineEntry): boolean {
  return a.level > b.level || (a.level === b.level && a.offset < b.offset);
}

interface LineEntry {
  readonly offset: number;
  readonly level: number;
}

/** The owned keys of a consumer are the keys of one partition that it has under way. */
export class OwnedKeys<T extends InLine<T>> {
  /** Those of which the consumer may get another message. */
  readonly open: LevelQueue<OrderedKey<T>> = new LevelQueue();
  readonly consumer: Attachment<T>;
  count = 0;

  constructor(consumer: Attachment<T>) {
    this.consumer = consumer;
  }
}

/**
 * An ordered key is a key of a group with order per key, as long as there is anything to remember about it:
 * messages that are out (in flight), messages in line behind them, a hold, or a rate.
 *
 * ```
 *   out: with consumers │ line: failed messages, then messages never delivered, by offset │ the log
 * ```
 * The messages that are out with one consumer are a run. The run ends when all of them are answered.
 */
export class OrderedKey<T extends InLine<T>> implements HeapItem {
  readonly name: string;
  /** Number of messages in flight. */
  out = 0;
  /** Those of the consumer that has the run; undefined without a run, or if it is one of before a restart. */
  owner: OwnedKeys<T> | undefined = undefined;
  /** A message of the run has failed: the run gets no more messages. */
  isStopped = false;
  /** The queue in which the key waits for a consumer. */
  queue: LevelQueue<OrderedKey<T>> | undefined = undefined;
  /** The level of its first message in line when it got into that queue. */
  level = 0;
  /** Nothing of the key is delivered before this time, on the monotonic clock. */
  heldUntilMs: number = -Infinity;
  /** Whether a hold or the rate forbids deliveries now. */
  isBlocked = false;
  /** When to look at the hold and the rate again. */
  dueMs: number = Infinity;
  heapIndex = -1;
  #bucket: TokenBucket | undefined = undefined;
  #first: T | undefined = undefined;
  #last: T | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** The first message in line; it stays there. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Whether there is nothing to remember about the key. */
  get isIdle(): boolean {
    return this.out === 0 && this.#first === undefined && !this.isBlocked && this.#bucket === undefined;
  }

  /**
   * The entry gets its place in line, by level and offset. A message that was never delivered is the last of
   * its level, and one that failed is among the first, so the search is short.
   */
  insert(entry: T): void {
    let ahead = this.#last;
    if (ahead !== undefined && precedes(entry, ahead)) {
      let behind = this.#first!;
      while (precedes(behind, entry)) behind = behind.behindInLine!;
      ahead = behind.aheadInLine;
    }
    const behind = ahead === undefined ? this.#first : ahead.behindInLine;
    entry.orderedKey = this;
    entry.aheadInLine = ahead;
    entry.behindInLine = behind;
    if (ahead === undefined) this.#first = entry;
    else ahead.behindInLine = entry;
    if (behind === undefined) this.#last = entry;
    else behind.aheadInLine = entry;
  }

  remove(entry: T): void {
    const { aheadInLine, behindInLine } = entry;
    if (aheadInLine === undefined) this.#first = behindInLine;
    else aheadInLine.behindInLine = behindInLine;
    if (behindInLine === undefined) this.#last = aheadInLine;
    else behindInLine.aheadInLine = aheadInLine;
    entry.orderedKey = undefined;
    entry.aheadInLine = undefined;
    entry.behindInLine = undefined;
  }

  /** A message of the key is delivered, which counts against the rate. */
  spend(rate: RateLimit, nowMs: number): void {
    this.#bucket ??= new TokenBucket(rate, nowMs);
    this.#bucket.take(nowMs);
  }

  /** The rate changed; undefined: there is none any more. */
  changeRate(rate: RateLimit | undefined, nowMs: number): void {
    if (rate === undefined) this.#bucket = undefined;
    else this.#bucket?.change(rate, nowMs);
  }

  /** Determines whether the key is blocked, and when to look again. */
  look(nowMs: number): void {
    const bucket = this.#bucket;
    if (bucket?.isFull(nowMs) === true) this.#bucket = undefined;
    const tokenMs = nowMs + (this.#bucket?.waitMs(nowMs) ?? 0);
    const nextMs = Math.max(this.heldUntilMs, tokenMs);
    this.isBlocked = nextMs > nowMs;
    if (this.isBlocked) this.dueMs = nextMs;
    else if (this.#bucket) this.dueMs = nowMs + this.#bucket.waitMs(nowMs, this.#bucket.limit.burst);
    else this.dueMs = Infinity;
  }
}
