import { Pattern, wildcard } from './acl.ts';

/**
 * A pattern index maps patterns of names to values, and finds the values whose patterns cover a name: the
 * name itself, the wildcard, and its prefixes.
 *
 * Prefixes are kept sorted, each with its parent: the longest other prefix that it begins with. All prefixes
 * of a name are among the last prefix that does not sort after the name, and the ancestors of that prefix. So
 * a look-up costs a binary search and a walk over the ancestors.
 *
 * ```
 *   a ◄── ab ◄── abc     name "abd": the last one not after it is "abc"; of its ancestors, "ab" and "a" match
 * ```
 */
export class PatternIndex<T> {
  readonly #literals = new Map<string, T>();
  readonly #prefixes = new Map<string, T>();
  /**
   * The prefixes in order, and the position of each one's parent, or -1. Undefined if they have to be
   * computed again.
   */
  #sorted: readonly string[] | undefined = undefined;
  #parents: Int32Array = new Int32Array(0);

  get size(): number {
    return this.#literals.size + this.#prefixes.size;
  }

  get(patternType: number, name: string): T | undefined {
    return this.#mapOf(patternType).get(name);
  }

  set(patternType: number, name: string, value: T): void {
    const map = this.#mapOf(patternType);
    if (map === this.#prefixes && !map.has(name)) this.#sorted = undefined;
    map.set(name, value);
  }

  delete(patternType: number, name: string): void {
    const map = this.#mapOf(patternType);
    if (map.delete(name) && map === this.#prefixes) this.#sorted = undefined;
  }

  *entries(): Iterable<readonly [patternType: number, name: string, value: T]> {
    for (const [name, value] of this.#literals) yield [Pattern.literal, name, value];
    for (const [name, value] of this.#prefixes) yield [Pattern.prefixed, name, value];
  }

  /** Calls back for each value whose pattern covers the name. */
  visit(name: string, found: (value: T) => void): void {
    const literal = this.#literals.get(name);
    if (literal !== undefined) found(literal);
    const all = name === wildcard ? undefined : this.#literals.get(wildcard);
    if (all !== undefined) found(all);
    if (this.#prefixes.size > 0) this.#visitPrefixes(name, found);
  }

  #visitPrefixes(name: string, found: (value: T) => void): void {
    const sorted = (this.#sorted ??= this.#sort());
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]! <= name) low = middle + 1;
      else high = middle;
    }
    let at = low - 1;
    if (at < 0) return;
    const common = commonLength(sorted[at]!, name);
    for (; at >= 0; at = this.#parents[at]!)
      if (sorted[at]!.length <= common) found(this.#prefixes.get(sorted[at]!)!);
  }

  #sort(): readonly string[] {
    const sorted = [...this.#prefixes.keys()].sort();
    this.#parents = new Int32Array(sorted.length);
    for (let at = 0; at < sorted.length; at++) {
      let parent = at - 1;
      while (parent >= 0 && !sorted[at]!.startsWith(sorted[parent]!)) parent = this.#parents[parent]!;
      this.#parents[at] = parent;
    }
    return sorted;
  }

  #mapOf(patternType: number): Map<string, T> {
    return patternType === Pattern.prefixed ? this.#prefixes : this.#literals;
  }
}

function commonLength(a: string, b: string): number {
  const max = Math.min(a.length, b.length);
  let at = 0;
  while (at < max && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}
