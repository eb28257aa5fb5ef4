export { patternBounds } from './bounds.ts';
export { wordsFor, type PatternWords } from './problem.ts';
export { RegularPattern, type PatternOptions } from './regular-pattern.ts';
