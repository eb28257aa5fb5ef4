import { BrokerError, type Deliveries, type Delivery, type Group } from '../../../embedded/index.ts';
import type { Answer, DeliverySink, Incoming, Puller } from '../../driver.ts';
import { stored } from './stored.ts';

/** A loop over a group of a box, which asks for a message only if the client wants one. */
export class BoxPuller implements Puller {
  readonly #sink: DeliverySink;
  readonly #deliveries: Promise<Deliveries<Uint8Array>>;
  #isClosed = false;

  constructor(group: Promise<Group<Uint8Array>>, sink: DeliverySink) {
    this.#sink = sink;
    this.#deliveries = group.then((group) => group.deliveries());
    this.#deliveries.catch((error: unknown) => sink.ended(error as Error));
  }

  ask(count: number): void {
    for (let each = 0; each < count; each++) void this.#take();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#deliveries).close();
  }

  async #take(): Promise<void> {
    const { done, value } = await (await this.#deliveries).next();
    if (done !== true) return this.#sink.received(new BoxDelivery(value));
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sink.ended(new BrokerError('closed', 'The group was deleted, or its broker closed.'));
  }
}

class BoxDelivery implements Incoming {
  readonly message: Incoming['message'];
  readonly deliveries: number;
  readonly #delivery: Delivery<Uint8Array>;

  constructor(delivery: Delivery<Uint8Array>) {
    this.#delivery = delivery;
    this.message = stored(delivery);
    this.deliveries = delivery.deliveries;
  }

  settle(answer: Answer): Promise<boolean> {
    const delivery = this.#delivery;
    switch (answer.kind) {
      case 'ack':
        return delivery.ack();
      case 'retry':
        return delivery.nack({ delayMs: answer.delayMs, reason: answer.reason });
      case 'dead':
        return delivery.reject(answer.reason);
      case 'release':
        return delivery.postpone({ delayMs: 0 });
      case 'postpone':
        break;
    }
    return delivery.postpone({ delayMs: answer.delayMs });
  }

  extend(): void {
    this.#delivery.extend();
  }
}
