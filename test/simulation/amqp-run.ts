import { AmqpFrontend } from '../../src/protocols/amqp/index.ts';
import { ClientRun, type ClientRunParts } from './client-run.ts';
import type { Fact } from './history.ts';

/** An AMQP run is one life of the broker as AMQP clients see it: its front door, and the shared state. */
export class AmqpRun extends ClientRun {
  readonly frontend: AmqpFrontend;

  constructor(parts: ClientRunParts) {
    super(parts);
    this.frontend = new AmqpFrontend({
      broker: parts.broker,
      report: (event) => {
        if (event.kind === 'closed' && event.reason.kind === 'error')
          this.problem(
            `the session of an AMQP client ended: ${event.reason.text} ${String(event.reason.cause)}`,
          );
      },
    });
  }

  /** The index of the last such event of this run; -1: none. */
  last(isSuch: (fact: Fact) => boolean): number {
    return this.history.events.findLastIndex(({ fact, run }) => run === this.history.run && isSuch(fact));
  }

  /** The log has failed, or the broker is closing: what is refused now may be stored. */
  get isEnding(): boolean {
    const { ready, failed } = this.broker.health;
    return !ready || failed !== undefined || this.last(({ kind }) => kind === 'sync-failed') >= 0;
  }

  override problem(text: string): void {
    if (!this.isEnding) super.problem(text);
  }
}
