import { SeededRandom } from '../../src/util/index.ts';

/** Seeded chance with the choices a generator makes. */
export class Choices {
  readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** True in so many of a hundred cases. */
  percent(chance: number): boolean {
    return this.random.next() * 100 < chance;
  }

  /** A whole number in `[from, to]`. */
  between(from: number, to: number): number {
    return from + this.random.int(to - from + 1);
  }

  of<T>(items: readonly T[]): T {
    return items[this.random.int(items.length)]!;
  }

  /** The value in so many of a hundred cases, else undefined. */
  maybe<T>(chance: number, value: () => T): T | undefined {
    return this.percent(chance) ? value() : undefined;
  }

  /** One of the names, each as likely as its weight. */
  weighted<K extends string>(weights: { readonly [name in K]?: number }): K {
    let total = 0;
    for (const name in weights) total += weights[name]!;
    let at = this.random.next() * total;
    for (const name in weights) {
      at -= weights[name]!;
      if (at < 0) return name;
    }
    throw new Error('no weights');
  }
}
