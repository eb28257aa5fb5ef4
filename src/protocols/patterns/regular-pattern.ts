import { Automaton } from './automaton.ts';
import { PatternParser } from './parser.ts';
import { PatternError, type PatternProblem } from './problem.ts';
import { compile } from './program.ts';

export interface PatternOptions {
  /** Whether the pattern has to match the whole text, or any part of it. Default: any part. */
  readonly isWhole?: boolean;
  readonly ignoresCase?: boolean;
  /** Whether the pattern may look ahead. */
  readonly looksAhead?: boolean;
}

/** What has to come after the beginning of a text, or must not. */
interface Ahead {
  readonly isNegative: boolean;
  readonly automaton: Automaton;
}

/**
 * A regular pattern is a regular expression that is matched in time proportional to the text times the
 * pattern, whoever wrote it, and for texts that are like others in time proportional to the text.
 *
 * ```
 * pattern      => "^" lookahead* alternatives | alternatives
 * lookahead    => "(?!" alternatives ")" | "(?=" alternatives ")"
 * alternatives => sequence ("|" sequence)*
 * sequence     => (atom repeat?)*           repeat => ("*" | "+" | "?" | "{" n ("," m?)? "}") "?"?
 * atom         => character | "." | "^" | "$" | "[" … "]" | "\" escape | "(" "?:"? alternatives ")"
 * escape       => d D w W s S n r t | any character that is no letter or digit
 * ```
 * That is what patterns of names need of RabbitMQ's (PCRE) and Kafka's (RE2). A brace that begins no repeat
 * is a character like any other. Back-references, other lookarounds and inline flags are refused.
 */
export class RegularPattern {
  readonly source: string;
  readonly #automaton: Automaton;
  readonly #aheads: readonly Ahead[];

  private constructor(source: string, automaton: Automaton, aheads: readonly Ahead[]) {
    this.source = source;
    this.#automaton = automaton;
    this.#aheads = aheads;
  }

  /** The pattern, or what is wrong with it. */
  static parse(source: string, options: PatternOptions = {}): RegularPattern | PatternProblem {
    const { isWhole = false, ignoresCase = false, looksAhead = false } = options;
    try {
      const parser = new PatternParser(source);
      const aheads = looksAhead ? parser.aheads() : [];
      const isFromStart = aheads.length > 0; // their `^` was that of the pattern
      const extent = isWhole ? 'whole' : isFromStart ? 'beginning' : 'part';
      return new RegularPattern(
        source,
        new Automaton(compile(parser.whole()), extent, ignoresCase),
        aheads.map(({ isNegative, node }) => ({
          isNegative,
          automaton: new Automaton(compile(node), 'beginning', ignoresCase),
        })),
      );
    } catch (error) {
      if (error instanceof PatternError) return error.problem;
      throw error;
    }
  }

  /** The cost of all matching so far: see {@link Automaton}. */
  get steps(): number {
    return this.#aheads.reduce((steps, { automaton }) => steps + automaton.steps, this.#automaton.steps);
  }

  matches(text: string): boolean {
    for (const { isNegative, automaton } of this.#aheads)
      if (automaton.matches(text) === isNegative) return false;
    return this.#automaton.matches(text);
  }
}
