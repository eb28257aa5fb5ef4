/**
 * What is wrong with a pattern. Each protocol has its own words for each. `at` is the place of the character
 * that is wrong, or of the one that begins what is wrong.
 */
export type PatternProblem =
  | { readonly kind: 'too-long' }
  | { readonly kind: 'too-deep' }
  | { readonly kind: 'repeats-too-much' }
  /** The numbers of `{2,1}` are out of order, or too large. */
  | { readonly kind: 'bad-count'; readonly text: string }
  | { readonly kind: 'nothing-to-repeat'; readonly at: number; readonly text: string }
  /** A repeat right after a repeat, such as `a**`. */
  | { readonly kind: 'repeated-repeat'; readonly at: number; readonly text: string }
  | { readonly kind: 'unopened-group'; readonly at: number }
  | { readonly kind: 'unclosed-group'; readonly at: number }
  /** `(?` that begins none of the groups that are understood. */
  | { readonly kind: 'unknown-group'; readonly at: number }
  /** Alternatives after a lookahead, which would belong to the first of them only. */
  | { readonly kind: 'bare-alternatives' }
  | { readonly kind: 'unclosed-class'; readonly at: number }
  /** `[:alpha:]` and the like. */
  | { readonly kind: 'named-class'; readonly at: number }
  | { readonly kind: 'bad-range'; readonly at: number }
  | { readonly kind: 'unknown-escape'; readonly text: string }
  | { readonly kind: 'open-escape' };

/** The words of a protocol for everything that can be wrong with a pattern. */
export type PatternWords = {
  readonly [K in PatternProblem['kind']]: (problem: Extract<PatternProblem, { readonly kind: K }>) => string;
};

/** The problem in the words of a protocol. */
export function wordsFor<K extends PatternProblem['kind']>(
  words: PatternWords,
  problem: Extract<PatternProblem, { readonly kind: K }>,
): string {
  return words[problem.kind](problem);
}

/** Thrown while a pattern is read; it does not leave this folder. */
export class PatternError extends Error {
  readonly problem: PatternProblem;

  constructor(problem: PatternProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}
