import type { Broker } from '../../src/broker/index.ts';
import { AmqpFrontend } from '../../src/protocols/amqp/index.ts';
import { SeededRandom } from '../../src/util/index.ts';
import type { Fact, History } from './history.ts';
import type { PlannedMessage } from './script.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/**
 * An AMQP run is one life of the broker as AMQP clients see it: its front door, and the shared state. When it
 * is over they hear nothing of it any more.
 */
export class AmqpRun {
  readonly broker: Broker;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly plans: ReadonlyMap<number, PlannedMessage>;
  readonly frontend: AmqpFrontend;
  readonly #history: History;
  #isOver = false;

  constructor(
    broker: Broker,
    clock: SimulatedClock,
    history: History,
    plans: ReadonlyMap<number, PlannedMessage>,
    seed: number,
  ) {
    this.broker = broker;
    this.clock = clock;
    this.random = new SeededRandom(seed * 1000 + history.run);
    this.plans = plans;
    this.#history = history;
    this.frontend = new AmqpFrontend({
      broker,
      report: (event) => {
        if (event.kind === 'closed' && event.reason.kind === 'error')
          this.problem(
            `the session of an AMQP client ended: ${event.reason.text} ${String(event.reason.cause)}`,
          );
      },
    });
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
    return this.#history.add(fact);
  }

  get events(): number {
    return this.#history.events.length;
  }

  /** The index of the last such event of this run; -1: none. */
  last(isSuch: (fact: Fact) => boolean): number {
    return this.#history.events.findLastIndex(({ fact, run }) => run === this.#history.run && isSuch(fact));
  }

  /** The log has failed, or the broker is closing: what is refused now may be stored. */
  get isEnding(): boolean {
    const { ready, failed } = this.broker.health;
    return !ready || failed !== undefined || this.last(({ kind }) => kind === 'sync-failed') >= 0;
  }

  problem(text: string): void {
    if (!this.#isOver && !this.isEnding) this.note({ kind: 'problem', text });
  }
}
