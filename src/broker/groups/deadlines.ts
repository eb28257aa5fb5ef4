import { IndexedHeap, type HeapItem } from '../../util/index.ts';

/** Number of waits that have a list of their own. A group has its ack wait and the steps of its backoff. */
const listsMax = 8;

/**
 * An entry of {@link Deadlines}: due at a time of the monotonic clock, and in one of the lists, in the heap,
 * or in neither.
 */
export interface Timed<T extends Timed<T>> extends HeapItem {
  readonly offset: number;
  dueMs: number;
  list: DeadlineList<T> | undefined;
  previous: T | undefined;
  next: T | undefined;
}

/** Entries with the same wait. They are appended when their wait begins, so the first one is due first. */
export class DeadlineList<T extends Timed<T>> {
  readonly waitMs: number;
  head: T | undefined = undefined;
  tail: T | undefined = undefined;

  constructor(waitMs: number) {
    this.waitMs = waitMs;
  }

  append(entry: T): void {
    entry.list = this;
    entry.previous = this.tail;
    entry.next = undefined;
    if (this.tail) this.tail.next = entry;
    else this.head = entry;
    this.tail = entry;
  }

  remove(entry: T): void {
    if (entry.previous) entry.previous.next = entry.next;
    else this.head = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else this.tail = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
    entry.list = undefined;
  }
}

/**
 * The deadlines of one group on one partition. Most entries have one of few waits. There is one list per
 * wait, in due order by construction, where adding and removing are O(1). Entries with another wait, or with
 * a due time of their own, are in a heap at O(log n). Removing an entry leaves nothing behind in either.
 */
export class Deadlines<T extends Timed<T>> {
  readonly #lists: DeadlineList<T>[] = [];
  /** Of entries due at the same time, the lowest offset comes first. */
  readonly #heap = new IndexedHeap<T>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.offset < b.offset),
  );

  /** Makes the entry due `waitMs` from now. The entry must not have a deadline yet. */
  startWait(entry: T, nowMs: number, waitMs: number): void {
    entry.dueMs = nowMs + waitMs;
    const list = this.#listFor(waitMs);
    // A list is in due order only if the clock does not go back.
    if (list && (list.tail === undefined || list.tail.dueMs <= entry.dueMs)) list.append(entry);
    else this.#heap.push(entry);
  }

  /** Makes the entry due at `dueMs`. The entry must not have a deadline yet. */
  startUntil(entry: T, dueMs: number): void {
    entry.dueMs = dueMs;
    this.#heap.push(entry);
  }

  /** False if the entry had no deadline. */
  remove(entry: T): boolean {
    if (entry.list) entry.list.remove(entry);
    else if (entry.heapIndex >= 0) this.#heap.remove(entry);
    else return false;
    return true;
  }

  /** The earliest time at which an entry is due; Infinity if there is none. */
  nextDueMs(): number {
    let dueMs = this.#heap.peek()?.dueMs ?? Infinity;
    for (const { head } of this.#lists) if (head && head.dueMs < dueMs) dueMs = head.dueMs;
    return dueMs;
  }

  /** An entry that is due by `nowMs`; it is not removed. */
  due(nowMs: number): T | undefined {
    const first = this.#heap.peek();
    if (first && first.dueMs <= nowMs) return first;
    for (const { head } of this.#lists) if (head && head.dueMs <= nowMs) return head;
    return undefined;
  }

  /** Every entry in a list, with the time at which its wait began, in that order. */
  waits(): [entry: T, sinceMs: number][] {
    const waits: [entry: T, sinceMs: number][] = [];
    for (const { head, waitMs } of this.#lists)
      for (let entry = head; entry; entry = entry.next) waits.push([entry, entry.dueMs - waitMs]);
    return waits.sort(([, a], [, b]) => a - b);
  }

  clear(): void {
    for (const [entry] of this.waits()) entry.list!.remove(entry);
    this.#lists.length = 0;
    this.#heap.clear();
  }

  /** Undefined if all lists are in use for other waits. */
  #listFor(waitMs: number): DeadlineList<T> | undefined {
    for (const list of this.#lists) if (list.waitMs === waitMs) return list;
    if (this.#lists.length === listsMax) {
      const unused = this.#lists.findIndex(({ head }) => head === undefined);
      if (unused < 0) return undefined;
      this.#lists.splice(unused, 1);
    }
    const list = new DeadlineList<T>(waitMs);
    this.#lists.push(list);
    return list;
  }
}
