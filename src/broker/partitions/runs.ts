/**
 * Runs are offsets as ranges `[from, to)`, in the order in which they were added. Adding the offset after the
 * last one only moves the end of the last range.
 */
export class Runs {
  #bounds: number[] = [];

  get isEmpty(): boolean {
    return this.#bounds.length === 0;
  }

  /** Number of ranges. */
  get length(): number {
    return this.#bounds.length / 2;
  }

  add(offset: number): void {
    const bounds = this.#bounds;
    const last = bounds.length - 1;
    if (last > 0 && bounds[last] === offset) bounds[last] = offset + 1;
    else bounds.push(offset, offset + 1);
  }

  clear(): void {
    this.#bounds.length = 0;
  }

  /** Flat pairs of from and to (exclusive). */
  bounds(): readonly number[] {
    return this.#bounds;
  }
}
