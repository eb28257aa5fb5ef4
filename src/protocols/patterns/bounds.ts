/** The bounds of patterns. They bound the time of matching, too: see {@link RegularPattern}. */
export const patternBounds = {
  /** Characters of a pattern. */
  charactersMax: 2_000,
  /** Parentheses inside each other. */
  depthMax: 100,
  /** The largest number of a counted repeat, as in RE2. */
  repeatMax: 1_000,
  /** Steps of a program: counted repeats are written out. */
  stepsMax: 2_500,
} as const;
