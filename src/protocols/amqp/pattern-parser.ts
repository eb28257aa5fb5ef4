/** What a pattern is made of. */
export type PatternNode =
  | { readonly kind: 'character'; readonly fits: (character: string) => boolean }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'alternatives'; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number;
    };

/** What is wrong with a pattern. */
export class PatternError extends Error {}

/** The largest number of a counted repeat, and how deep parentheses may be inside each other. */
const repeatMax = 255;
const depthMax = 50;

/** Reads a pattern; see the grammar of {@link RegularPattern}. Its methods throw a PatternError. */
export class PatternParser {
  readonly #text: readonly string[];
  readonly #ignoresCase: boolean;
  #at = 0;
  #depth = 0;
  #hasAheads = false;

  constructor(source: string, ignoresCase: boolean) {
    this.#text = Array.from(source);
    this.#ignoresCase = ignoresCase;
  }

  /** The lookaheads right after a `^`, which goes with them. */
  aheads(): { readonly isNegative: boolean; readonly node: PatternNode }[] {
    const found: { readonly isNegative: boolean; readonly node: PatternNode }[] = [];
    if (!this.#sees('^(?!') && !this.#sees('^(?=')) return found;
    this.#at++;
    while (this.#sees('(?!') || this.#sees('(?=')) {
      const isNegative = this.#text[this.#at + 2] === '!';
      this.#at += 3;
      found.push({ isNegative, node: this.#alternatives() });
      this.#close();
    }
    this.#hasAheads = true;
    return found;
  }

  whole(): PatternNode {
    const node = this.#alternatives();
    if (this.#at < this.#text.length) throw new PatternError('unmatched closing parenthesis');
    if (this.#hasAheads && node.kind === 'alternatives')
      throw new PatternError('after a lookahead, alternatives need parentheses around them');
    return node;
  }

  #alternatives(): PatternNode {
    if (++this.#depth > depthMax) throw new PatternError(`parentheses are more than ${depthMax} deep`);
    const nodes = [this.#sequence()];
    while (this.#takes('|')) nodes.push(this.#sequence());
    this.#depth--;
    return nodes.length === 1 ? nodes[0]! : { kind: 'alternatives', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', nodes };
      nodes.push(this.#repeated(this.#atom()));
    }
  }

  #repeated(node: PatternNode): PatternNode {
    const range = this.#range();
    if (!range) return node;
    this.#takes('?'); // lazy or greedy: the same texts match
    if ('*+'.includes(this.#text[this.#at] ?? ' ')) throw new PatternError('nothing to repeat');
    return { kind: 'repeat', node, ...range };
  }

  #range(): { readonly min: number; readonly max: number } | undefined {
    if (this.#takes('*')) return { min: 0, max: Infinity };
    if (this.#takes('+')) return { min: 1, max: Infinity };
    if (this.#takes('?')) return { min: 0, max: 1 };
    const rest = this.#text.slice(this.#at, this.#at + 12).join('');
    const [whole, low, comma, high] = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(rest) ?? [];
    if (whole === undefined) return undefined; // a brace like any other character
    const min = Number(low);
    const max = comma === undefined ? min : high === undefined ? Infinity : Number(high);
    if (min > repeatMax || (max !== Infinity && max > repeatMax) || max < min)
      throw new PatternError('numbers in {} quantifier out of order or too large');
    this.#at += whole.length;
    return { min, max };
  }

  #atom(): PatternNode {
    const character = this.#text[this.#at++]!;
    switch (character) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'character', fits: (one) => one !== '\n' };
      case '[':
        return this.#class();
      case '\\':
        return this.#escape();
      case '(':
        return this.#group();
      case '*':
      case '+':
      case '?':
        throw new PatternError('quantifier does not follow a repeatable item');
      default:
        return this.#literal(character);
    }
  }

  #group(): PatternNode {
    if (this.#takes('?') && !this.#takes(':'))
      throw new PatternError('of groups with "(?", only "(?:", and "(?!" and "(?=" after "^", are supported');
    const node = this.#alternatives();
    this.#close();
    return node;
  }

  #escape(): PatternNode {
    const character = this.#text[this.#at++];
    if (character === undefined) throw new PatternError('\\ at end of pattern');
    const set = sets[character];
    if (set) return { kind: 'character', fits: set };
    const control = controls[character];
    if (control !== undefined) return this.#literal(control);
    if (/[0-9a-z]/i.test(character)) throw new PatternError(`the escape \\${character} is not supported`);
    return this.#literal(character);
  }

  #class(): PatternNode {
    const isNegated = this.#takes('^');
    const tests: ((one: string) => boolean)[] = [];
    for (let isFirst = true; isFirst || this.#text[this.#at] !== ']'; isFirst = false) {
      if (this.#sees('[:')) throw new PatternError('POSIX classes are not supported');
      const low = this.#member();
      if (typeof low === 'function') {
        tests.push(low);
        continue;
      }
      const isRange = this.#text[this.#at] === '-' && (this.#text[this.#at + 1] ?? ']') !== ']';
      if (!isRange) {
        tests.push(this.#test((one) => one === low));
        continue;
      }
      this.#at++;
      const high = this.#member();
      if (typeof high === 'function' || high < low)
        throw new PatternError('range out of order in character class');
      tests.push(this.#test((one) => one >= low && one <= high));
    }
    this.#at++;
    return { kind: 'character', fits: (one) => tests.some((test) => test(one)) !== isNegated };
  }

  /** One character of a class, or a set of them. */
  #member(): string | ((one: string) => boolean) {
    const character = this.#text[this.#at++];
    if (character === undefined) throw new PatternError('missing terminating ] for character class');
    if (character !== '\\') return character;
    const escaped = this.#text[this.#at++];
    if (escaped === undefined) throw new PatternError('\\ at end of pattern');
    return sets[escaped] ?? controls[escaped] ?? escaped;
  }

  #literal(character: string): PatternNode {
    return { kind: 'character', fits: this.#test((one) => one === character) };
  }

  #test(fits: (one: string) => boolean): (one: string) => boolean {
    if (!this.#ignoresCase) return fits;
    return (one) => fits(one) || fits(one.toLowerCase()) || fits(one.toUpperCase());
  }

  #close(): void {
    if (!this.#takes(')')) throw new PatternError('missing closing parenthesis');
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #sees(text: string): boolean {
    return this.#text.slice(this.#at, this.#at + text.length).join('') === text;
  }
}

const isDigit = (one: string): boolean => one >= '0' && one <= '9';
const isWord = (one: string): boolean => /^\w$/.test(one);
const isSpace = (one: string): boolean => /^\s$/.test(one);
const sets: { readonly [letter: string]: ((one: string) => boolean) | undefined } = {
  d: isDigit,
  D: (one) => !isDigit(one),
  w: isWord,
  W: (one) => !isWord(one),
  s: isSpace,
  S: (one) => !isSpace(one),
};
const controls: { readonly [letter: string]: string | undefined } = { n: '\n', r: '\r', t: '\t' };
