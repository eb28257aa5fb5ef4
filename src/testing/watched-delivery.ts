import type { Answer, Incoming, StoredMessage } from '../client/parts.ts';

/** Told of the answer to a delivery. */
export type Answered = (answer: Answer) => void;

/** A delivery that tells of its answer, and whose ack may get lost. */
export class WatchedDelivery implements Incoming {
  readonly message: StoredMessage;
  readonly deliveries: number;
  readonly #incoming: Incoming;
  readonly #answered: Answered;
  readonly #losesAck: () => boolean;

  constructor(incoming: Incoming, answered: Answered, losesAck: () => boolean) {
    this.#incoming = incoming;
    this.message = incoming.message;
    this.deliveries = incoming.deliveries;
    this.#answered = answered;
    this.#losesAck = losesAck;
  }

  async settle(answer: Answer, confirm: boolean): Promise<boolean> {
    if (answer.kind === 'ack' && this.#losesAck()) return true;
    const counts = await this.#incoming.settle(answer, confirm);
    if (counts) this.#answered(answer);
    return counts;
  }

  extend(): void {
    this.#incoming.extend();
  }
}

/** A second copy of a delivery, which nothing that is answered reaches. */
export class DuplicateDelivery implements Incoming {
  readonly message: StoredMessage;
  readonly deliveries: number;

  constructor({ message, deliveries }: Incoming) {
    this.message = message;
    this.deliveries = deliveries;
  }

  settle(): Promise<boolean> {
    return Promise.resolve(false);
  }

  extend(): void {
    // There is nothing to extend.
  }
}
