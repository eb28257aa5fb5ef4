import { ByIndex } from '../by-index.ts';

/** Neighbouring partitions whose logs have consecutive ids. The last run of a topic may still grow. */
export interface IdRun {
  readonly firstIndex: number;
  readonly firstId: number;
  count: number;
}

/**
 * The partitions of a topic. An unused partition is only a number in a run of ids. It is opened, and uses
 * memory, on the first access by its index.
 */
export class PartitionList<P> {
  readonly #runs: IdRun[] = [];
  readonly #opened = new ByIndex<P>();
  readonly #open: (index: number, id: number) => P;
  #length = 0;

  /** `open` creates the partition; its log may already have messages. */
  constructor(open: (index: number, id: number) => P) {
    this.#open = open;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Partitions that are not opened have no message, no key, no producer and no watcher. Do not iterate over
   * this list across an await: it changes.
   */
  get opened(): readonly P[] {
    return this.#opened.items;
  }

  /** Runs of log ids, in the order of the partitions. */
  get runs(): readonly IdRun[] {
    return this.#runs;
  }

  has(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < this.#length;
  }

  /** The partition, opened if necessary; undefined if the topic has no partition of that index. */
  at(index: number): P | undefined {
    const opened = this.#opened.get(index);
    if (opened !== undefined || !this.has(index)) return opened;
    const partition = this.#open(index, this.idAt(index));
    this.#opened.add(index, partition);
    return partition;
  }

  /** The partition, if it is opened. */
  ifOpened(index: number): P | undefined {
    return this.#opened.get(index);
  }

  /** Adds partitions at the end, with logs of these ids. */
  add(ids: readonly number[]): void {
    for (const id of ids) {
      const last = this.#runs[this.#runs.length - 1];
      if (last !== undefined && id === last.firstId + last.count) last.count++;
      else this.#runs.push({ firstIndex: this.#length, firstId: id, count: 1 });
      this.#length++;
    }
  }

  idAt(index: number): number {
    const run = this.#runs.find(({ firstIndex, count }) => index < firstIndex + count)!;
    return run.firstId + index - run.firstIndex;
  }

  /** The indexes in `[from, to)`, or all. */
  indexes(from: number = 0, to: number = this.#length): number[] {
    return Array.from({ length: Math.max(0, Math.min(to, this.#length) - from) }, (_, at) => from + at);
  }

  /** Opens the partitions whose log ids are wanted. */
  openWhere(isWanted: (id: number) => boolean): void {
    let index = 0;
    for (const id of this.ids()) {
      if (isWanted(id)) this.at(index);
      index++;
    }
  }

  /** Ids of the logs, in the order of the partitions. */
  *ids(): Generator<number, void, void> {
    for (const { firstId, count } of this.#runs) for (let i = 0; i < count; i++) yield firstId + i;
  }
}
