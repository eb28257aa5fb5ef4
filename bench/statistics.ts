/** The value below which the share `q` of an ascending list lies; NaN for an empty one. */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  if (ascending.length === 0) return Number.NaN;
  const place = (ascending.length - 1) * q;
  const below = ascending[Math.floor(place)] ?? Number.NaN;
  const above = ascending[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** A spread sums up several runs of one measurement. */
export interface Spread {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const ascending = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  return {
    median: quantile(ascending, 0.5),
    minimum: ascending[0] ?? Number.NaN,
    maximum: ascending.at(-1) ?? Number.NaN,
  };
}

/** The spread of a / b, pair by pair, because runs of one turn saw the same state of the machine. */
export function ratioOf(a: readonly number[], b: readonly number[]): Spread {
  return spreadOf(a.map((value, turn) => value / (b[turn] ?? Number.NaN)));
}
