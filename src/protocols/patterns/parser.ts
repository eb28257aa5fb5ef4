import { patternBounds } from './bounds.ts';
import { anyCharacter, escapedCharacters, escapedSets, type Characters, type Ranges } from './characters.ts';
import { PatternError, type PatternProblem } from './problem.ts';

/** What a pattern is made of. */
export type PatternNode =
  | { readonly kind: 'character'; readonly characters: Characters }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'alternatives'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number };

/** What has to follow at a place, or must not. */
export interface Lookahead {
  readonly isNegative: boolean;
  readonly node: PatternNode;
}

const { charactersMax, depthMax, repeatMax } = patternBounds;

/** Reads a pattern; see the grammar of {@link RegularPattern}. Its methods throw a PatternError. */
export class PatternParser {
  readonly #text: readonly string[];
  #at = 0;
  #depth = 0;
  #hasAheads = false;

  constructor(source: string) {
    if (source.length > charactersMax) fail({ kind: 'too-long' });
    this.#text = Array.from(source);
  }

  /** The lookaheads right after a `^`, which goes with them. To be called first, if at all. */
  aheads(): readonly Lookahead[] {
    const found: Lookahead[] = [];
    if (!this.#sees('^(?!') && !this.#sees('^(?=')) return found;
    this.#at++;
    while (this.#sees('(?!') || this.#sees('(?=')) {
      const from = this.#at;
      const isNegative = this.#text[from + 2] === '!';
      this.#at += 3;
      found.push({ isNegative, node: this.#alternatives() });
      this.#close(from);
    }
    this.#hasAheads = true;
    return found;
  }

  whole(): PatternNode {
    const node = this.#alternatives();
    if (this.#at < this.#text.length) fail({ kind: 'unopened-group', at: this.#at });
    if (this.#hasAheads && node.kind === 'alternatives') fail({ kind: 'bare-alternatives' });
    return node;
  }

  #alternatives(): PatternNode {
    if (++this.#depth > depthMax) fail({ kind: 'too-deep' });
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
    const text = this.#text[this.#at];
    if (text === '*' || text === '+' || text === '?') fail({ kind: 'repeated-repeat', at: this.#at, text });
    return { kind: 'repeat', node, ...range };
  }

  #range(): { readonly min: number; readonly max: number } | undefined {
    if (this.#takes('*')) return { min: 0, max: Infinity };
    if (this.#takes('+')) return { min: 1, max: Infinity };
    if (this.#takes('?')) return { min: 0, max: 1 };
    const rest = this.#text.slice(this.#at, this.#at + 12).join('');
    const [text, low, comma, high] = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(rest) ?? [];
    if (text === undefined) return undefined; // a brace like any other character
    const min = Number(low);
    const max = comma === undefined ? min : high === undefined ? Infinity : Number(high);
    if (min > repeatMax || (max !== Infinity && max > repeatMax) || max < min)
      fail({ kind: 'bad-count', text });
    this.#at += text.length;
    return { min, max };
  }

  #atom(): PatternNode {
    const at = this.#at;
    const text = this.#text[this.#at++]!;
    switch (text) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'character', characters: anyCharacter };
      case '[':
        return { kind: 'character', characters: this.#class(at) };
      case '\\':
        return character(this.#escape());
      case '(':
        return this.#group(at);
      case '*':
      case '+':
      case '?':
        return fail({ kind: 'nothing-to-repeat', at, text });
      default:
        return character(text.codePointAt(0)!);
    }
  }

  #group(from: number): PatternNode {
    if (this.#takes('?') && !this.#takes(':')) fail({ kind: 'unknown-group', at: from });
    const node = this.#alternatives();
    this.#close(from);
    return node;
  }

  #class(from: number): Characters {
    const negated = this.#takes('^');
    const ranges: (readonly [number, number])[] = [];
    for (let isFirst = true; isFirst || this.#text[this.#at] !== ']'; isFirst = false) {
      if (this.#sees('[:')) fail({ kind: 'named-class', at: this.#at });
      const low = this.#member(from);
      if (typeof low !== 'number') {
        ranges.push(...low);
        continue;
      }
      const isRange = this.#text[this.#at] === '-' && (this.#text[this.#at + 1] ?? ']') !== ']';
      if (isRange) this.#at++;
      const high = isRange ? this.#member(from) : low;
      if (typeof high !== 'number' || high < low) return fail({ kind: 'bad-range', at: from });
      ranges.push([low, high]);
    }
    this.#at++;
    return { ranges, negated };
  }

  /** One character of a class, or a set of them. */
  #member(from: number): number | Ranges {
    const text = this.#text[this.#at++];
    if (text === undefined) return fail({ kind: 'unclosed-class', at: from });
    return text === '\\' ? this.#escape() : text.codePointAt(0)!;
  }

  /** The character or the set that an escape stands for. */
  #escape(): number | Ranges {
    const text = this.#text[this.#at++];
    if (text === undefined) return fail({ kind: 'open-escape' });
    const known = escapedSets[text] ?? escapedCharacters[text];
    if (known === undefined && /[0-9a-z]/i.test(text)) fail({ kind: 'unknown-escape', text: `\\${text}` });
    return known ?? text.codePointAt(0)!;
  }

  /** Takes the end of the group that began at `from`. */
  #close(from: number): void {
    if (!this.#takes(')')) fail({ kind: 'unclosed-group', at: from });
  }

  #takes(text: string): boolean {
    if (this.#text[this.#at] !== text) return false;
    this.#at++;
    return true;
  }

  #sees(text: string): boolean {
    return this.#text.slice(this.#at, this.#at + text.length).join('') === text;
  }
}

function character(of: number | Ranges): PatternNode {
  const ranges: Ranges = typeof of === 'number' ? [[of, of]] : of;
  return { kind: 'character', characters: { ranges, negated: false } };
}

function fail(problem: PatternProblem): never {
  throw new PatternError(problem);
}
