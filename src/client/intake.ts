import type { Timer } from '../util/index.ts';
import type { ClientContext } from './context.ts';
import type { Incoming, Puller } from './driver.ts';
import type { GroupPlan } from './group-settings.ts';
import { Held } from './held.ts';

/** Receives the messages of an intake. */
export interface IntakeListener {
  received(held: Held): void;
  /** No more messages will come. */
  ended(reason: Error): void;
}

/** Extensions in the time to answer: two may be lost. */
const beatsPerWait = 3;

/**
 * An intake is a consumer at the target. It holds at most so many messages as it was made for, extends the
 * time to answer of those it holds, and gives up those that came too often.
 */
export class Intake {
  readonly #context: ClientContext;
  readonly #plan: GroupPlan;
  readonly #listener: IntakeListener;
  readonly #held = new Set<Held>();
  readonly #puller: Puller;
  readonly #beats: boolean;
  #timer: Timer | undefined;
  #isOpen = true;

  constructor(
    context: ClientContext,
    plan: GroupPlan,
    options: { readonly heartbeat: boolean },
    listener: IntakeListener,
  ) {
    this.#context = context;
    this.#plan = plan;
    this.#listener = listener;
    this.#beats = options.heartbeat && context.driver.capabilities.extend !== 'none';
    this.#puller = context.driver.consume(plan, {
      received: (incoming) => this.#received(incoming),
      ended: (reason) => listener.ended(reason),
      failed: (error) => context.report(error),
    });
  }

  ask(count: number): void {
    if (this.#isOpen) this.#puller.ask(count);
  }

  /** Asks for no more. Messages that are held may still be answered. */
  async close(): Promise<void> {
    this.#isOpen = false;
    if (this.#held.size === 0) this.#timer?.cancel();
    await this.#puller.close();
  }

  #received(incoming: Incoming): void {
    const held = new Held(this.#context, this.#plan, incoming, (answered) => this.#held.delete(answered));
    if (!this.#isOpen) return void held.answer({ kind: 'release' }, false);
    if (held.isBeyondLimit) {
      void held.answer({ kind: 'dead', cause: 'max-deliveries', reason: '' }, false);
      return this.ask(1);
    }
    this.#held.add(held);
    if (this.#beats) this.#startBeats();
    this.#listener.received(held);
  }

  #startBeats(): void {
    this.#timer ??= this.#context.clock.setTimer(this.#plan.ackWaitMs / beatsPerWait, () => {
      this.#timer = undefined;
      for (const held of this.#held) held.incoming.extend();
      if (this.#held.size > 0) this.#startBeats();
    });
  }
}
