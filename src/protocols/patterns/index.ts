export { patternBounds } from './bounds.ts';
export { wordsFor, type PatternProblem, type PatternWords } from './problem.ts';
export { RegularPattern, type PatternOptions } from './regular-pattern.ts';
