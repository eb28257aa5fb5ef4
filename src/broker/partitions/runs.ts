/**
 * Runs are offsets as stretches `[from, to)`, in the order they were added; adding the next one after the
 * last only moves its end.
 */
export class Runs {
  #bounds: number[] = [];

  get isEmpty(): boolean {
    return this.#bounds.length === 0;
  }

  /** How many stretches there are. */
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
