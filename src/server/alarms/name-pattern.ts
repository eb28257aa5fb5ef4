/** A pattern of names, in which each `*` stands for any text, also for none. */
export class NamePattern {
  readonly #first: string;
  /** The texts between the `*`s, and after the last; undefined: the pattern has none. */
  readonly #rest: readonly string[];

  constructor(pattern: string) {
    const [first = '', ...rest] = pattern.split('*');
    this.#first = first;
    this.#rest = rest;
  }

  /** Throws an Error if the value is no pattern; undefined if there is none. */
  static of(value: unknown, what: string): NamePattern | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '' || value.length > 1024)
      throw new Error(`The ${what} must be a name, with * for any text.`);
    return new NamePattern(value);
  }

  /** Takes time in proportion to the name: the leftmost place of each text is the best for those after it. */
  matches(name: string): boolean {
    if (this.#rest.length === 0) return name === this.#first;
    if (!name.startsWith(this.#first)) return false;
    let at = this.#first.length;
    for (const [index, text] of this.#rest.entries()) {
      if (index === this.#rest.length - 1) return name.length - text.length >= at && name.endsWith(text);
      const found = name.indexOf(text, at);
      if (found < 0) return false;
      at = found + text.length;
    }
    return true;
  }
}
