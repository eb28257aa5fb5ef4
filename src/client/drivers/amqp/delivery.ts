import type { AsyncMessage, Channel } from 'rabbitmq-client';
import type { Answer, Incoming, StoredMessage } from '../../driver.ts';
import { causeText } from '../letter-headers.ts';
import { deliveriesHeader } from './names.ts';
import { stored } from './stored.ts';

/** What a delivery asks of its driver, for answers that AMQP does not have. */
export interface AmqpWays {
  /** Puts the message where it waits for its retry. */
  retry(delivery: AmqpDelivery, delayMs: number): Promise<void>;
  makeLetter(delivery: AmqpDelivery, cause: string): Promise<void>;
}

/** A delivery of a queue. Its answers are given on the channel that it came by, or not at all. */
export class AmqpDelivery implements Incoming {
  readonly message: StoredMessage;
  readonly deliveries: number;
  readonly given: AsyncMessage;
  readonly #channel: Channel;
  readonly #ways: AmqpWays;
  readonly #settled: () => void;

  constructor(topic: string, channel: Channel, given: AsyncMessage, ways: AmqpWays, settled: () => void) {
    this.given = given;
    this.message = stored(topic, given);
    const counted = (name: string): number => Number(given.headers?.[name] ?? 0);
    // Some brokers do not count a delivery whose connection was lost.
    const before = Math.max(counted('x-delivery-count'), given.redelivered ? 1 : 0);
    this.deliveries = counted(deliveriesHeader) + before + 1;
    this.#channel = channel;
    this.#ways = ways;
    this.#settled = settled;
  }

  /** AMQP confirms no acks: it resolves once the answer is sent. */
  async settle(answer: Answer): Promise<boolean> {
    try {
      return await this.#settle(answer);
    } finally {
      this.#settled();
    }
  }

  extend(): void {
    // It is ours for as long as the connection lives.
  }

  async #settle(answer: Answer): Promise<boolean> {
    // First the copy, then the end of the message: after a crash between them there are two of it.
    if (answer.kind === 'dead') await this.#ways.makeLetter(this, causeText(answer.cause, answer.reason));
    else if ((answer.kind === 'retry' || answer.kind === 'postpone') && answer.delayMs > 0)
      await this.#ways.retry(this, answer.delayMs);
    else if (answer.kind !== 'ack') return this.#answer(false);
    return this.#answer(true);
  }

  #answer(isDone: boolean): boolean {
    if (!this.#channel.active) return false;
    const { deliveryTag } = this.given;
    if (isDone) this.#channel.basicAck({ deliveryTag });
    else this.#channel.basicNack({ deliveryTag, requeue: true });
    return true;
  }
}
