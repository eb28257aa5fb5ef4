import type { SeededRandom } from '../../src/util/index.ts';
import type { Call, GatedFiles } from './gated-files.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/** Something that goes wrong at one call of the disk. */
export type Interruption =
  | {
      /** The process dies before the call, or after it has taken effect but before its answer. */
      readonly kind: 'crash-before' | 'crash-after';
      readonly afterCalls: number;
      readonly power: boolean;
    }
  | { readonly kind: 'fail'; readonly afterCalls: number; readonly code: string };

/** Thrown through the machine when the process dies at a call of the disk. */
export class Interrupted extends Error {
  readonly power: boolean;

  constructor(power: boolean) {
    super('The process was interrupted.');
    this.power = power;
  }
}

/** More steps than any run needs: a run that gets here is going in circles. */
const stepsMax = 20_000;
const timersMax = 1000;
const answerTurns = 3;

/**
 * The machine moves the broker on, one thing at a time: a call of the disk completes, deferred work runs, a
 * timer fires. Which one is next is a matter of chance, or of `inOrder`: oldest first.
 */
export class Machine {
  readonly clock: SimulatedClock;
  files: GatedFiles;
  /** Calls of the disk in this life of the process. */
  callsDone = 0;
  /** All calls of the disk, in all lives. */
  callsEver = 0;
  /** The interruptions, one after the other; each counts its calls from the previous one. */
  readonly #interruptions: Interruption[];
  #callsSince = 0;
  /** A call is to fail: told just before it happens. */
  onFailing: (code: string) => void = () => {};
  /** What is said to clients takes a few turns of the event loop: it is idle only after these. */
  isPatient = false;
  /** Called after each step. */
  onStep: () => void = () => {};
  readonly #inOrder: boolean;
  /** The events, for the comparison of two runs. */
  readonly trace: string[] | undefined;

  constructor(
    clock: SimulatedClock,
    files: GatedFiles,
    options: { inOrder: boolean; trace: boolean; interruptions: readonly Interruption[] },
  ) {
    this.#interruptions = [...options.interruptions];
    this.clock = clock;
    this.files = files;
    this.#inOrder = options.inOrder;
    this.trace = options.trace ? [] : undefined;
  }

  get isIdle(): boolean {
    return !this.clock.hasDeferred && this.files.waiting.length === 0;
  }

  /** One thing happens. False: there was nothing to do. */
  async step(random: SeededRandom): Promise<boolean> {
    const { clock, files } = this;
    if (this.isIdle) return false;
    if (clock.nextTimerMs <= clock.monotonic()) clock.fireTimer();
    else if (clock.hasDeferred && (files.waiting.length === 0 || random.int(2) === 0)) clock.runDeferred();
    else this.#complete(this.#inOrder ? 0 : random.int(files.waiting.length));
    clock.pass(random.int(4) === 0 ? random.next() * 0.8 : 0.05);
    await settled();
    this.onStep();
    return true;
  }

  async #goesOn(): Promise<boolean> {
    for (let turns = 0; this.isPatient && this.isIdle && turns < answerTurns; turns++) await settled();
    return !this.isIdle;
  }

  #complete(at: number): void {
    const call = this.files.waiting.splice(at, 1)[0]!;
    this.trace?.push(`${this.clock.monotonic().toFixed(3)} ${call.kind} ${call.path} ${call.position ?? ''}`);
    this.callsDone++;
    this.callsEver++;
    this.#interrupt(call);
    call.happen();
  }

  #interrupt(call: Call): void {
    const next = this.#interruptions[0];
    if (!next || this.#callsSince++ < next.afterCalls) return;
    this.#interruptions.shift();
    this.#callsSince = 0;
    if (next.kind === 'fail') return this.onFailing(next.code);
    if (next.kind === 'crash-after') call.effect();
    throw new Interrupted(next.power);
  }

  /** Nothing more is going to go wrong. */
  get isUndisturbed(): boolean {
    return this.#interruptions.length === 0;
  }

  /** So many steps, or until nothing is left to do. */
  async run(random: SeededRandom, steps: number = Infinity): Promise<void> {
    await settled();
    for (let done = 0; done < steps; done++) {
      if (!(await this.step(random)) && !(await this.#goesOn())) return;
      if (done > stepsMax) throw new Error(`The broker is not idle after ${stepsMax} steps.`);
    }
  }

  /** Goes on until `done` says so; false when nothing is left to do before that. */
  async runUntil(random: SeededRandom, done: () => boolean): Promise<boolean> {
    await settled();
    for (let steps = 0; !done(); steps++) {
      if (this.isIdle) {
        // Something may wait for a timer: a retry after a shortage.
        if (this.clock.nextTimerMs === Infinity || steps > stepsMax) return false;
        this.clock.fireTimer();
        await settled();
      } else await this.step(random);
      if (steps > stepsMax) return false;
    }
    return true;
  }

  /**
   * Lets time pass; the effects of a timer get a little further, or come to their end, before the next one
   * fires.
   */
  async wait(random: SeededRandom, ms: number): Promise<void> {
    const { clock } = this;
    const end = clock.monotonic() + ms;
    let sinceMs = clock.monotonic();
    for (let fired = 0; clock.nextTimerMs <= end; fired++) {
      clock.fireTimer();
      if (clock.monotonic() > sinceMs + 1) {
        sinceMs = clock.monotonic();
        fired = 0;
      } else if (fired > timersMax)
        throw new Error(`More than ${timersMax} timers fire within a millisecond.`);
      await settled();
      await this.run(random, random.int(4) === 0 ? random.int(6) : Infinity);
    }
    if (clock.monotonic() < end) clock.pass(end - clock.monotonic());
  }
}

/** Resolves when every promise that can go on has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
