import {
  Collector,
  type CollectorEnd,
  type CollectorOptions,
  type Group as CoreGroup,
} from '../broker/index.ts';
import type { BoxContext } from './context.ts';
import type { Incoming } from './delivery.ts';
import { incomingOf } from './intake.ts';

const goneEnds: ReadonlySet<CollectorEnd> = new Set(['group-deleted', 'topic-deleted', 'closed']);

/**
 * A pull asks a group for messages once. It collects them until it has enough, its time is over, or it is
 * called off, and passes them on as one array.
 */
export class Pull {
  /** Resolves once to the collected messages. */
  readonly collected: Promise<Incoming[]>;
  readonly #collector: Collector;
  readonly #incoming: Incoming[] = [];
  #isCalledOff = false;

  /**
   * `gone` is called when the group was deleted or the broker closed: no pull of the group gets any more
   * messages.
   */
  constructor(context: BoxContext, group: CoreGroup, options: CollectorOptions, gone: () => void) {
    const letGo = context.keepAlive.hold();
    let resolve: (incoming: Incoming[]) => void;
    this.collected = new Promise((done) => (resolve = done));
    this.#collector = new Collector(
      context.clock,
      { label: 'embedded pull', ...options },
      {
        collected: (delivery) => {
          this.#incoming.push(incomingOf(context, group, delivery));
          return delivery.bytes;
        },
        completed: (end) => {
          letGo();
          if (goneEnds.has(end)) gone();
          resolve(this.#isCalledOff ? [] : this.#incoming);
        },
      },
    );
    this.#collector.attach(group);
  }

  /** Ends the pull; its messages go back to the group. */
  callOff(): void {
    if (this.#collector.hasEnded) return;
    this.#isCalledOff = true;
    this.#collector.end();
    for (const { receipt } of this.#incoming) receipt.release();
  }
}
