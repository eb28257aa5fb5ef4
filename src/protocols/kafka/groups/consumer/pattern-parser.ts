import { ErrorCode } from '../../../../wire/kafka/index.ts';
import { KafkaError } from '../../errors.ts';

/*
 * pattern     => branch ("|" branch)*                     branch => (atom quantifier?)*
 * atom        => "(" "?:"? pattern ")" | "[" "^"? range+ "]" | "." | "^" | "$" | "\" escape
 *                | any other character
 * quantifier  => ("*" | "+" | "?" | "{" n ("," m?)? "}") "?"?    lazy or greedy: the same for a whole match
 * escape      => d D w W s S | any character that is no letter or digit
 * "(?i)" in front: letters of either case.
 *
 * A pattern matches a whole name, as in Kafka. There are no back references and no look-around, as in RE2,
 * which Kafka uses.
 */

const patternLengthMax = 2000;
/** Maximum number of steps of a compiled pattern; it bounds `a{1000}{1000}`. */
const programMax = 2500;
const depthMax = 100;

export type Ranges = readonly (readonly [from: number, to: number])[];

export type Step =
  | { readonly kind: 'chars'; readonly ranges: Ranges; readonly negated: boolean }
  /** Two continuations, each relative to the position of this step. */
  | { readonly kind: 'split'; readonly first: number; readonly second: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'match' };

const digits: Ranges = [[0x30, 0x39]];
const words: Ranges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const spaces: Ranges = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const everything: Ranges = [[0, 0x10ffff]];

/**
 * Parses a pattern and compiles it to a program. Alternatives and repetitions become splits, which follow
 * both continuations at once.
 */
export class PatternParser {
  readonly #text: string;
  readonly #shown: string;
  readonly #foldsCase: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, shown: string, foldsCase: boolean) {
    this.#text = text;
    this.#shown = shown;
    this.#foldsCase = foldsCase;
    if (text.length > patternLengthMax) this.#fail(`it is longer than ${patternLengthMax} characters`);
  }

  parse(): readonly Step[] {
    const program = this.#pattern();
    if (this.#at < this.#text.length) this.#fail(`")" at ${this.#at} closes nothing`);
    return [...program, { kind: 'match' }];
  }

  /** Splits are relative to their own position, so programs can be joined unchanged. */
  #pattern(): Step[] {
    if (++this.#depth > depthMax) this.#fail(`it nests deeper than ${depthMax}`);
    let program = this.#branch();
    while (this.#take('|')) {
      const other = this.#branch();
      // split(1, after the first and its jump); a jump is a split with two equal continuations.
      program = this.#join(
        split(1, program.length + 2),
        program,
        split(other.length + 1, other.length + 1),
        other,
      );
    }
    this.#depth--;
    return program;
  }

  #branch(): Step[] {
    const program: Step[] = [];
    while (this.#at < this.#text.length && this.#peek !== '|' && this.#peek !== ')') {
      program.push(...this.#repeated(this.#atom()));
      this.#checkSize(program);
    }
    return program;
  }

  #repeated(atom: Step[]): Step[] {
    let program = atom;
    for (;;) {
      if (this.#take('*')) program = this.#repeat(program, 0, Infinity);
      else if (this.#take('+')) program = this.#repeat(program, 1, Infinity);
      else if (this.#take('?')) program = this.#repeat(program, 0, 1);
      else if (this.#peek === '{') {
        const match = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#text.slice(this.#at, this.#at + 12));
        if (!match) this.#fail(`"{" at ${this.#at} begins no repetition; write "\\{" for the character`);
        this.#at += match[0].length;
        const min = Number(match[1]);
        const max = match[2] === undefined ? min : match[3] === '' ? Infinity : Number(match[3]);
        if (max < min) this.#fail(`{${min},${max}} is no range`);
        program = this.#repeat(program, min, max);
      } else return program;
      this.#take('?');
    }
  }

  #repeat(program: Step[], min: number, max: number): Step[] {
    const pieces: Step[][] = [];
    const times = max === Infinity ? min : max;
    if (times * (program.length + 1) > programMax) this.#fail('it repeats too much');
    for (let i = 0; i < min; i++) pieces.push(program);
    if (max === Infinity) pieces.push(split(1, program.length + 2), program, split(-program.length - 1, 1));
    else for (let i = min; i < max; i++) pieces.push(split(1, program.length + 1), program);
    return this.#join(...pieces);
  }

  #join(...pieces: readonly Step[][]): Step[] {
    const joined: Step[] = [];
    for (const piece of pieces) joined.push(...piece);
    this.#checkSize(joined);
    return joined;
  }

  #checkSize(program: readonly Step[]): void {
    if (program.length > programMax) this.#fail('it is too large once its repetitions are written out');
  }

  #atom(): Step[] {
    const from = this.#at;
    const char = this.#text[this.#at++]!;
    switch (char) {
      case '(': {
        if (this.#take('?') && !this.#take(':'))
          this.#fail(`"(?" at ${from} is not supported, but for "(?:"`);
        const program = this.#pattern();
        if (!this.#take(')')) this.#fail(`"(" at ${from} is never closed`);
        return program;
      }
      case '[':
        return [this.#set(from)];
      case '.':
        return [chars(everything)];
      case '^':
        return [{ kind: 'start' }];
      case '$':
        return [{ kind: 'end' }];
      case '\\':
        return [this.#escape()];
      case '*':
      case '+':
      case '?':
        return this.#fail(`"${char}" at ${from} repeats nothing`);
      default:
        return [this.#literal(char)];
    }
  }

  #literal(char: string): Step {
    const code = (this.#foldsCase ? char.toLowerCase() : char).charCodeAt(0);
    return chars([[code, code]]);
  }

  #escape(): Step {
    const char = this.#text[this.#at++];
    if (char === undefined) return this.#fail('it ends with "\\"');
    const known = classOf(char);
    if (known) return known;
    if (/[A-Za-z0-9]/.test(char)) this.#fail(`"\\${char}" is not supported`);
    return this.#literal(char);
  }

  #set(from: number): Step {
    const negated = this.#take('^');
    const ranges: (readonly [number, number])[] = [];
    for (let isFirst = true; isFirst || this.#peek !== ']'; isFirst = false) {
      if (this.#at >= this.#text.length) this.#fail(`"[" at ${from} is never closed`);
      const low = this.#setMember();
      if (typeof low !== 'number') {
        ranges.push(...low);
        continue;
      }
      let high = low;
      if (this.#peek === '-' && this.#text[this.#at + 1] !== ']' && this.#at + 1 < this.#text.length) {
        this.#at++;
        const end = this.#setMember();
        if (typeof end !== 'number' || end < low)
          return this.#fail(`"[" at ${from} has a range that is none`);
        high = end;
      }
      ranges.push([low, high]);
      if (this.#foldsCase) ranges.push(...folded(low, high));
    }
    this.#at++;
    return chars(ranges, negated);
  }

  #setMember(): number | Ranges {
    const char = this.#text[this.#at++]!;
    if (char !== '\\') return char.charCodeAt(0);
    const escaped = this.#text[this.#at++];
    if (escaped === undefined) return this.#fail('it ends with "\\"');
    const known = classOf(escaped);
    if (known) {
      if (known.negated) this.#fail(`"\\${escaped}" in "[…]" is not supported`);
      return known.ranges;
    }
    if (/[A-Za-z0-9]/.test(escaped)) this.#fail(`"\\${escaped}" is not supported`);
    return escaped.charCodeAt(0);
  }

  get #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #take(char: string): boolean {
    if (this.#peek !== char) return false;
    this.#at++;
    return true;
  }

  #fail(problem: string): never {
    throw new KafkaError(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `"${this.#shown.slice(0, 200)}" is no pattern of topics: ${problem}.`,
    );
  }
}

function chars(ranges: Ranges, negated = false): Step & { readonly kind: 'chars' } {
  return { kind: 'chars', ranges, negated };
}

function split(first: number, second: number): Step[] {
  return [{ kind: 'split', first, second }];
}

function classOf(char: string): (Step & { readonly kind: 'chars' }) | undefined {
  switch (char) {
    case 'd':
    case 'D':
      return chars(digits, char === 'D');
    case 'w':
    case 'W':
      return chars(words, char === 'W');
    case 's':
    case 'S':
      return chars(spaces, char === 'S');
    default:
      return undefined;
  }
}

/** The lower-case letters for the upper-case letters of a range; names are compared in lower case. */
function folded(low: number, high: number): Ranges {
  const from = Math.max(low, 0x41);
  const to = Math.min(high, 0x5a);
  return from <= to ? [[from + 0x20, to + 0x20]] : [];
}
