import { ErrorCode } from '../../../../wire/kafka/index.ts';
import { KafkaError } from '../../errors.ts';
import { PatternParser, type Ranges, type Step } from './pattern-parser.ts';

const caseFlag = '(?i)';
/** Maximum size of the kept states, in places; beyond it, they are dropped and made again as needed. */
const keptMax = 50_000;
/** Steps that a pattern may take in any case, and further steps for each character of the names. */
const stepsMin = 500_000;
const stepsPerCharacter = 20;

/**
 * A state of a match: all places of the program that may be reached after some characters. States are made as
 * names need them, and each is made once. Another name that reaches a known state takes one step per
 * character.
 */
interface State {
  /** Places that wait for a character, or for the end of the name. */
  readonly places: readonly number[];
  readonly next: Map<number, State>;
  readonly matches: boolean;
}

/** A topic pattern is a regular expression over topic names, run without backtracking. */
export class TopicPattern {
  readonly text: string;
  /**
   * Cost of matching so far. A step is one place of the program visited, or one character with a known next
   * state.
   */
  steps = 0;
  #characters = 0;
  readonly #program: readonly Step[];
  readonly #foldsCase: boolean;
  #states = new Map<string, State>();
  #kept = 0;
  readonly #start: State;

  /** Throws a KafkaError of code INVALID_REGULAR_EXPRESSION. */
  constructor(text: string) {
    this.text = text;
    this.#foldsCase = text.startsWith(caseFlag);
    const pattern = this.#foldsCase ? text.slice(caseFlag.length) : text;
    this.#program = new PatternParser(pattern, text, this.#foldsCase).parse();
    this.#start = this.#stateOf([0], true);
  }

  /** Whether the pattern matches the whole name. */
  matches(name: string): boolean {
    const text = this.#foldsCase ? name.toLowerCase() : name;
    this.#characters += text.length;
    this.steps += text.length;
    let state = this.#start;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      state = state.next.get(code) ?? this.#step(state, code);
      if (state.places.length === 0) return false;
    }
    return state.matches;
  }

  /**
   * Throws a KafkaError if matching took far more steps than the names have characters: the pattern is too
   * expensive.
   */
  checkCost(): void {
    if (this.steps <= stepsMin + this.#characters * stepsPerCharacter) return;
    throw new KafkaError(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `"${this.text.slice(0, 200)}" is no pattern of topics: it takes too many steps over the names there are.`,
    );
  }

  #step(state: State, code: number): State {
    const reached: number[] = [];
    for (const place of state.places) {
      const step = this.#program[place]!;
      if (step.kind === 'chars' && contains(step.ranges, code) !== step.negated) reached.push(place + 1);
    }
    this.steps += state.places.length;
    if (this.#kept > keptMax) this.#forget();
    const next = this.#stateOf(reached, false);
    state.next.set(code, next);
    return next;
  }

  /** Drops every state but the first, which then has no link to the others. */
  #forget(): void {
    this.#states = new Map();
    this.#start.next.clear();
    this.#kept = 0;
  }

  #stateOf(from: readonly number[], isStart: boolean): State {
    const seen = this.#follow(from, isStart, false);
    const places = seen.filter((place) => isWaiting(this.#program[place]!));
    places.sort((a, b) => a - b);
    const key = places.join();
    const known = isStart ? undefined : this.#states.get(key);
    if (known) return known;
    const atEnd = this.#follow(places, isStart, true);
    const matches = atEnd.some((place) => this.#program[place]!.kind === 'match');
    const state: State = { places, next: new Map(), matches };
    if (!isStart) this.#states.set(key, state);
    this.#kept += places.length + 1;
    return state;
  }

  /** All places that are reached from these without a character. */
  #follow(from: readonly number[], isStart: boolean, isEnd: boolean): number[] {
    const seen = new Set<number>();
    const stack = [...from];
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      this.steps++;
      if (seen.has(place)) continue;
      seen.add(place);
      const step = this.#program[place]!;
      if (step.kind === 'split') stack.push(place + step.first, place + step.second);
      else if ((step.kind === 'start' && isStart) || (step.kind === 'end' && isEnd)) stack.push(place + 1);
    }
    return [...seen];
  }
}

function isWaiting({ kind }: Step): boolean {
  return kind === 'chars' || kind === 'end' || kind === 'match';
}

function contains(ranges: Ranges, code: number): boolean {
  for (const [from, to] of ranges) if (code >= from && code <= to) return true;
  return false;
}
