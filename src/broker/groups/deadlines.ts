import { IndexedHeap, type HeapItem } from '../../util/index.ts';

/** Waits that get a list of their own. A group has its ack wait and the steps of its backoff. */
const listsMax = 8;

/**
 * What stands in {@link Deadlines}: due at a time of the monotonic clock, in one of the lists, or in the
 * heap, or in neither.
 */
export interface Timed<T extends Timed<T>> extends HeapItem {
  readonly offset: number;
  dueMs: number;
  list: DeadlineList<T> | undefined;
  previous: T | undefined;
  next: T | undefined;
}

/** Entries that share one wait: appended as their wait begins, so the first is the first due. */
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
 * Deadlines of one group on one partition. Most entries have one of few waits: these stand in one list per
 * wait, in due order by construction, where adding and removing cost O(1). Entries with any other wait, or
 * with a time of their own, stand in a heap at O(log n). Removing leaves nothing behind in either.
 */
export class Deadlines<T extends Timed<T>> {
  readonly #lists: DeadlineList<T>[] = [];
  /** Of those that are due together the lowest offset goes first. */
  readonly #heap = new IndexedHeap<T>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.offset < b.offset),
  );

  /** Due `waitMs` from now. The entry must not be in here. */
  startWait(entry: T, nowMs: number, waitMs: number): void {
    entry.dueMs = nowMs + waitMs;
    const list = this.#listFor(waitMs);
    // A list is in due order only while time goes on.
    if (list && (list.tail === undefined || list.tail.dueMs <= entry.dueMs)) list.append(entry);
    else this.#heap.push(entry);
  }

  /** Due at a time of its own. The entry must not be in here. */
  startUntil(entry: T, dueMs: number): void {
    entry.dueMs = dueMs;
    this.#heap.push(entry);
  }

  /** False when the entry was not in here. */
  remove(entry: T): boolean {
    if (entry.list) entry.list.remove(entry);
    else if (entry.heapIndex >= 0) this.#heap.remove(entry);
    else return false;
    return true;
  }

  /** The earliest time at which an entry is due; Infinity when there is none. */
  nextDueMs(): number {
    let dueMs = this.#heap.peek()?.dueMs ?? Infinity;
    for (const { head } of this.#lists) if (head && head.dueMs < dueMs) dueMs = head.dueMs;
    return dueMs;
  }

  /** An entry that is due by `nowMs`, left where it is. */
  due(nowMs: number): T | undefined {
    const first = this.#heap.peek();
    if (first && first.dueMs <= nowMs) return first;
    for (const { head } of this.#lists) if (head && head.dueMs <= nowMs) return head;
    return undefined;
  }

  /** Every entry that stands in a list, with the time its wait began, in that order. */
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

  /** Undefined when all lists are in use for other waits. */
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
