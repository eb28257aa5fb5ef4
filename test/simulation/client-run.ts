import type { Broker } from '../../src/broker/index.ts';
import { SeededRandom } from '../../src/util/index.ts';
import type { Fact, History } from './history.ts';
import type { PlannedMessage } from './script.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/** The parts of the machine that a run of clients stands on. */
export interface ClientRunParts {
  readonly broker: Broker;
  readonly clock: SimulatedClock;
  readonly history: History;
  readonly plans: ReadonlyMap<number, PlannedMessage>;
  readonly seed: number;
}

/**
 * A client run is one life of the broker as the clients of a protocol see it. When it is over they hear
 * nothing of it any more.
 */
export class ClientRun {
  readonly broker: Broker;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly plans: ReadonlyMap<number, PlannedMessage>;
  readonly history: History;
  #isOver = false;

  constructor({ broker, clock, history, plans, seed }: ClientRunParts) {
    this.broker = broker;
    this.clock = clock;
    this.random = new SeededRandom(seed * 1000 + history.run);
    this.plans = plans;
    this.history = history;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The process is gone. */
  end(): void {
    this.#isOver = true;
  }

  /** Returns the index of the event. */
  note(fact: Fact): number {
    return this.history.add(fact);
  }

  get events(): number {
    return this.history.events.length;
  }

  problem(text: string): void {
    if (!this.#isOver) this.note({ kind: 'problem', text });
  }
}
