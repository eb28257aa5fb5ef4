import { contains, containsFolded } from './characters.ts';
import type { Program, Step } from './program.ts';

/** The part of a text that a program has to match: all of it, its beginning, or any part. */
export type Extent = 'whole' | 'beginning' | 'part';

/**
 * Maximum size of the kept states and their links: so many for each step of the program, and within these
 * bounds. Beyond it, they are dropped and made again as needed.
 */
const keptPerStep = 100;
const keptMin = 1_000;
const keptMax = 50_000;

/**
 * A state of a match: all places of the program that may be reached after some characters. States are made as
 * texts need them, and each is made once. Another text that reaches a known state takes one step per
 * character.
 */
interface State {
  /** Places that wait for a character, or for the end of the text. */
  readonly places: readonly number[];
  readonly next: Map<number, State>;
  /** Whether the program has come to its end, whatever follows. */
  readonly matches: boolean;
  /** Whether it has if the text ends here. */
  readonly matchesAtEnd: boolean;
}

/**
 * An automaton runs a program over texts. It follows all possible places of the program at once (Thompson
 * 1968), so that none is tried and given up.
 */
export class Automaton {
  /** Cost so far: a step is one place of the program visited, or one character with a known next state. */
  steps = 0;
  readonly #program: Program;
  readonly #extent: Extent;
  readonly #contains: typeof contains;
  readonly #keptMax: number;
  /** By place: the last visit that came there. */
  readonly #visited: Uint32Array;
  #visit = 0;
  #states = new Map<string, State>();
  #kept = 0;
  readonly #start: State;

  constructor(program: Program, extent: Extent, ignoresCase: boolean) {
    this.#program = program;
    this.#extent = extent;
    this.#contains = ignoresCase ? containsFolded : contains;
    this.#keptMax = Math.min(keptMin + keptPerStep * program.length, keptMax);
    this.#visited = new Uint32Array(program.length);
    this.#start = this.#stateOf([0], true);
  }

  matches(text: string): boolean {
    const isWhole = this.#extent === 'whole';
    let state = this.#start;
    for (let at = 0; at < text.length; at++) {
      if (state.matches && !isWhole) return true;
      if (state.places.length === 0) return false;
      const code = text.codePointAt(at)!;
      if (code > 0xffff) at++;
      this.steps++;
      state = state.next.get(code) ?? this.#step(state, code);
    }
    return state.matchesAtEnd;
  }

  #step(state: State, code: number): State {
    const reached: number[] = this.#extent === 'part' ? [0] : [];
    for (const place of state.places) {
      const step = this.#program[place]!;
      if (step.kind === 'character' && this.#contains(step.characters, code)) reached.push(place + 1);
    }
    this.steps += state.places.length;
    if (this.#kept > this.#keptMax) this.#forget();
    const next = this.#stateOf(reached, false);
    state.next.set(code, next);
    this.#kept++;
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
    const places = seen.filter((place) => isWaiting(this.#program[place]!)).toSorted((a, b) => a - b);
    const key = places.join();
    const known = isStart ? undefined : this.#states.get(key);
    if (known) return known;
    const hasMatch = (all: readonly number[]): boolean => all.includes(this.#program.length - 1);
    const state: State = {
      places,
      next: new Map(),
      matches: hasMatch(places),
      matchesAtEnd: hasMatch(this.#follow(places, isStart, true)),
    };
    if (!isStart) this.#states.set(key, state);
    this.#kept += places.length + 1;
    return state;
  }

  /** All places that are reached from these without a character. */
  #follow(from: readonly number[], isStart: boolean, isEnd: boolean): number[] {
    const visit = ++this.#visit;
    const seen: number[] = [];
    const open = [...from];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      this.steps++;
      if (this.#visited[place] === visit) continue;
      this.#visited[place] = visit;
      seen.push(place);
      const step = this.#program[place]!;
      if (step.kind === 'split') open.push(place + 1, step.to);
      else if (step.kind === 'jump') open.push(step.to);
      else if ((step.kind === 'start' && isStart) || (step.kind === 'end' && isEnd)) open.push(place + 1);
    }
    return seen;
  }
}

function isWaiting({ kind }: Step): boolean {
  return kind === 'character' || kind === 'end' || kind === 'match';
}
