import {
  recordOf,
  type Broker,
  type PublishToAllOptions,
  type Receipt,
  type Record,
  type Topic,
} from '../../broker/index.ts';
import { AmqpError } from './errors.ts';
import type { UnackedDelivery } from './unacked.ts';

interface HeldPublish {
  readonly topics: readonly Topic[];
  readonly record: Record;
  readonly options: PublishToAllOptions | undefined;
}

interface HeldAnswer {
  readonly deliveries: readonly UnackedDelivery[];
  readonly settle: (receipt: Receipt) => void;
}

/**
 * The transaction of a channel (class tx): its publishes and answers wait for the commit. They are one commit
 * of the broker then, so that a crash leaves all of them or none.
 */
export class Transaction {
  readonly #bytesMax: number;
  #publishes: HeldPublish[] = [];
  #answers: HeldAnswer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Keeps a copy of a publish. Throws PRECONDITION_FAILED if the transaction is too large. */
  publish(topics: readonly Topic[], record: Record, options: PublishToAllOptions | undefined): void {
    const copy = recordOf({
      key: record.key,
      headers: record.headers.map(({ name, value }) => ({ name, value: value && Buffer.from(value) })),
      value: record.value,
    });
    this.#bytes += copy.buffer.length + 100;
    if (this.#bytes > this.#bytesMax)
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `the publishes of a transaction have more than ${this.#bytesMax} bytes; commit more often`,
      );
    this.#publishes.push({ topics, record: copy, options });
  }

  answer(deliveries: readonly UnackedDelivery[], settle: (receipt: Receipt) => void): void {
    this.#answers.push({ deliveries, settle });
  }

  /**
   * Carries everything out in one commit; resolves when that is on disk. Rejects with PRECONDITION_FAILED if
   * a queue has refused a publish: the others are published then, as in RabbitMQ.
   */
  commit(
    broker: Broker,
    answer: (deliveries: readonly UnackedDelivery[], settle: (receipt: Receipt) => void) => void,
  ): Promise<void> {
    const publishes = this.#publishes;
    const answers = this.#answers;
    this.#publishes = [];
    this.#answers = [];
    this.#bytes = 0;
    const done = publishes.map(
      ({ topics, record, options }) =>
        new Promise<void>((resolve, reject) => {
          const listener = {
            published: (): void => resolve(),
            refused: (_: undefined, error: Error): void =>
              reject(new AmqpError('PRECONDITION_FAILED', `partial tx completion: ${error.message}`)),
          };
          broker.publishToAll(topics, record, options, 'all-or-none', listener, undefined);
        }),
    );
    for (const { deliveries, settle } of answers) answer(deliveries, settle);
    done.push(new Promise((resolve) => broker.afterCommit(resolve)));
    return Promise.all(done).then(() => undefined);
  }

  /** Drops the publishes; returns the answered deliveries, which are unanswered again. */
  rollBack(): UnackedDelivery[] {
    const deliveries = this.#answers.flatMap(({ deliveries }) => deliveries);
    this.#publishes = [];
    this.#answers = [];
    this.#bytes = 0;
    return deliveries;
  }
}
