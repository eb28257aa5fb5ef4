import { PatternError, PatternParser, type PatternNode } from './pattern-parser.ts';

/**
 * A regular expression that is matched in time proportional to the text times the pattern, whoever wrote it:
 * all its possible positions are followed at once (Thompson 1968), none is tried and given up.
 *
 * ```
 * pattern     => "^" lookahead* alternatives | alternatives
 * lookahead   => "(?!" alternatives ")" | "(?=" alternatives ")"
 * alternatives => sequence ("|" sequence)*
 * sequence    => (atom repeat?)*            repeat => ("*" | "+" | "?" | "{" n ("," m?)? "}") "?"?
 * atom        => character | "." | "^" | "$" | "[" … "]" | "\" escape | "(" "?:"? alternatives ")"
 * ```
 * That is what patterns of names need of RabbitMQ's (PCRE). Back-references, other lookarounds and inline
 * flags are refused.
 */
export class RegularPattern {
  readonly source: string;
  readonly #program: Program;
  readonly #aheads: readonly Ahead[];

  private constructor(source: string, program: Program, aheads: readonly Ahead[]) {
    this.source = source;
    this.#program = program;
    this.#aheads = aheads;
  }

  /** The pattern, or what is wrong with it. */
  static parse(
    source: string,
    { ignoresCase = false }: { readonly ignoresCase?: boolean } = {},
  ): RegularPattern | string {
    if (source.length > sourceMax) return `a pattern has at most ${sourceMax} characters`;
    try {
      const parser = new PatternParser(source, ignoresCase);
      const aheads = parser
        .aheads()
        .map(({ isNegative, node }) => ({ isNegative, program: Compiler.compile(node) }));
      return new RegularPattern(source, Compiler.compile(parser.whole()), aheads);
    } catch (error) {
      if (error instanceof PatternError) return error.message;
      throw error;
    }
  }

  /** Whether the pattern matches the text or a part of it. */
  matches(text: string): boolean {
    const characters = Array.from(text);
    for (const { isNegative, program } of this.#aheads)
      if (run(program, characters, true) === isNegative) return false;
    return run(this.#program, characters, this.#aheads.length > 0);
  }
}

const sourceMax = 255;
/** Steps of a program: counted repeats copy what they repeat. */
const stepsMax = 1_000;
const visitsMax = 10_000;

interface Ahead {
  readonly isNegative: boolean;
  readonly program: Program;
}

/** `split` goes on at the next step and at another one. */
type Step =
  | { readonly kind: 'character'; readonly fits: (character: string) => boolean }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | Branch;
interface Branch {
  readonly kind: 'jump' | 'split';
  to: number;
}
type Program = readonly Step[];

/** Turns a pattern into a program. Throws a PatternError if it would be too long. */
class Compiler {
  readonly steps: Step[] = [];
  #visits = 0;

  static compile(node: PatternNode): Program {
    const compiler = new Compiler();
    compiler.#emit(node);
    return compiler.steps;
  }

  #emit(node: PatternNode): void {
    // A repeat of nothing makes no step.
    if (++this.#visits > visitsMax || this.steps.length > stepsMax)
      throw new PatternError('the pattern repeats too much');
    switch (node.kind) {
      case 'sequence':
        for (const each of node.nodes) this.#emit(each);
        return;
      case 'alternatives':
        return this.#emitAlternatives(node.nodes);
      case 'repeat':
        return this.#emitRepeat(node.node, node.min, node.max);
      default:
        this.steps.push(node);
    }
  }

  #emitAlternatives(nodes: readonly PatternNode[]): void {
    const jumps = nodes.slice(0, -1).map((node) => {
      const split = this.#push('split');
      this.#emit(node);
      const jump = this.#push('jump');
      split.to = this.steps.length;
      return jump;
    });
    this.#emit(nodes.at(-1)!);
    for (const jump of jumps) jump.to = this.steps.length;
  }

  #emitRepeat(node: PatternNode, min: number, max: number): void {
    for (let times = 0; times < min; times++) this.#emit(node);
    const splits: Branch[] = [];
    if (max === Infinity) {
      const start = this.steps.length;
      splits.push(this.#push('split'));
      this.#emit(node);
      this.#push('jump').to = start;
    } else
      for (let times = min; times < max; times++) {
        splits.push(this.#push('split'));
        this.#emit(node);
      }
    for (const split of splits) split.to = this.steps.length;
  }

  #push(kind: Branch['kind']): Branch {
    const step: Branch = { kind, to: 0 };
    this.steps.push(step);
    return step;
  }
}

/** Whether the program comes to its end, from the beginning of the text or, unless anchored, from anywhere. */
function run(program: Program, text: readonly string[], isAnchored: boolean): boolean {
  let positions = new Set<number>();
  for (let at = 0; at <= text.length; at++) {
    if (at === 0 || !isAnchored) follow(program, 0, positions, at, text.length);
    if (positions.has(program.length)) return true;
    const character = text[at];
    if (character === undefined) return false;
    const next = new Set<number>();
    for (const position of positions) {
      const step = program[position]!;
      if (step.kind === 'character' && step.fits(character))
        follow(program, position + 1, next, at + 1, text.length);
    }
    positions = next;
  }
  return false;
}

/** Adds a position, and all that it leads to without a character. */
function follow(program: Program, from: number, into: Set<number>, at: number, end: number): void {
  const open = [from];
  for (let position = open.pop(); position !== undefined; position = open.pop()) {
    if (into.has(position)) continue;
    into.add(position);
    const step = program[position];
    if (step === undefined || step.kind === 'character') continue;
    if (step.kind === 'jump') open.push(step.to);
    else if (step.kind === 'split') open.push(position + 1, step.to);
    else if (step.kind === 'start' ? at === 0 : at === end) open.push(position + 1);
  }
}
