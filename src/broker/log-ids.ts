import type { IdRun } from './partitions/partition-list.ts';

/** A topic, as far as its partitions' logs go. */
interface Owner {
  readonly partitions: { readonly runs: readonly IdRun[] };
}

/**
 * Whose logs have which ids: a run of ids per topic, so that partitions which are not opened cost nothing.
 */
export class LogIds<T extends Owner> {
  /** In the order of the ids. */
  readonly #runs: { readonly run: IdRun; readonly owner: T }[] = [];

  /** Adds a topic, or what it has more than before. */
  add(owner: T): void {
    for (const run of owner.partitions.runs) {
      const place = this.#placeOf(run.firstId);
      if (this.#runs[place]?.run !== run) this.#runs.splice(place, 0, { run, owner });
    }
  }

  remove(owner: T): void {
    for (const run of owner.partitions.runs) {
      const place = this.#placeOf(run.firstId);
      if (this.#runs[place]?.run === run) this.#runs.splice(place, 1);
    }
  }

  /** The topic that has the log, and as which of its partitions. */
  find(id: number): { readonly owner: T; readonly index: number } | undefined {
    const found = this.#runs[this.#placeOf(id + 1) - 1];
    if (found === undefined || id >= found.run.firstId + found.run.count) return undefined;
    return { owner: found.owner, index: found.run.firstIndex + id - found.run.firstId };
  }

  /** Where the first run stands that begins at `id` or later. */
  #placeOf(id: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle]!.run.firstId < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
