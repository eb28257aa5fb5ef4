import type { IdRun } from './partitions/partition-list.ts';

/** A topic, reduced to the ids of its partitions' logs. */
interface Owner {
  readonly partitions: { readonly runs: readonly IdRun[] };
}

/**
 * Maps the ids of logs to their topics. It stores one run of ids per range, so that partitions that are not
 * opened cost nothing.
 */
export class LogIds<T extends Owner> {
  /** In order of id. */
  readonly #runs: { readonly run: IdRun; readonly owner: T }[] = [];

  /** Adds a topic, or the new runs of a topic that has grown. */
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

  /** The topic of a log, and the index of the partition. */
  find(id: number): { readonly owner: T; readonly index: number } | undefined {
    const found = this.#runs[this.#placeOf(id + 1) - 1];
    if (found === undefined || id >= found.run.firstId + found.run.count) return undefined;
    return { owner: found.owner, index: found.run.firstIndex + id - found.run.firstId };
  }

  /** The place of the first run that begins at `id` or later. */
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
