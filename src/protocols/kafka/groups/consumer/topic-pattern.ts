import { ErrorCode } from '../../../../wire/kafka/index.ts';
import { patternBounds, RegularPattern, wordsFor, type PatternWords } from '../../../patterns/index.ts';
import { KafkaError } from '../../errors.ts';

const caseFlag = '(?i)';
/** Steps that a pattern may take in any case, and further steps for each character of the names. */
const stepsMin = 500_000;
const stepsPerCharacter = 20;

const words: PatternWords = {
  'too-long': () => `it is longer than ${patternBounds.charactersMax} characters`,
  'too-deep': () => `it nests deeper than ${patternBounds.depthMax}`,
  'repeats-too-much': () => 'it is too large once its repetitions are written out',
  'bad-count': ({ text }) => `${text} is no range, or repeats too much`,
  'nothing-to-repeat': ({ text, at }) => `"${text}" at ${at} repeats nothing`,
  'repeated-repeat': ({ text, at }) => `"${text}" at ${at} repeats a repetition`,
  'unopened-group': ({ at }) => `")" at ${at} closes nothing`,
  'unclosed-group': ({ at }) => `"(" at ${at} is never closed`,
  'unknown-group': ({ at }) => `"(?" at ${at} is not supported, but for "(?:"`,
  'bare-alternatives': () => 'its alternatives need parentheses around them',
  'unclosed-class': ({ at }) => `"[" at ${at} is never closed`,
  'named-class': ({ at }) => `"[:" at ${at} is not supported`,
  'bad-range': ({ at }) => `"[" at ${at} has a range that is none`,
  'unknown-escape': ({ text }) => `"${text}" is not supported`,
  'open-escape': () => 'it ends with "\\"',
};

/**
 * A topic pattern is a regular expression over topic names. It matches a whole name, as in Kafka, and has no
 * lookaround, as in RE2, which Kafka uses. With `(?i)` in front, letters may have either case.
 */
export class TopicPattern {
  readonly text: string;
  readonly #pattern: RegularPattern;
  #characters = 0;

  /** Throws a KafkaError of code INVALID_REGULAR_EXPRESSION. */
  constructor(text: string) {
    this.text = text;
    const ignoresCase = text.startsWith(caseFlag);
    const source = ignoresCase ? text.slice(caseFlag.length) : text;
    const pattern = RegularPattern.parse(source, { isWhole: true, ignoresCase });
    if (!(pattern instanceof RegularPattern)) throw this.#problem(wordsFor(words, pattern));
    this.#pattern = pattern;
  }

  /** Cost of matching so far. */
  get steps(): number {
    return this.#pattern.steps;
  }

  /** Whether the pattern matches the whole name. */
  matches(name: string): boolean {
    this.#characters += name.length;
    return this.#pattern.matches(name);
  }

  /**
   * Throws a KafkaError if matching took far more steps than the names have characters: the pattern is too
   * expensive.
   */
  checkCost(): void {
    if (this.steps <= stepsMin + this.#characters * stepsPerCharacter) return;
    throw this.#problem('it takes too many steps over the names there are');
  }

  #problem(problem: string): KafkaError {
    return new KafkaError(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `"${this.text.slice(0, 200)}" is no pattern of topics: ${problem}.`,
    );
  }
}
