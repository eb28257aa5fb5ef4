import type { Receipt, Record, Topic } from '../../broker/index.ts';
import { AmqpError } from './errors.ts';
import { publishTo, type Publication } from './publication.ts';
import { copyOf } from './record-copy.ts';
import type { AmqpLimits } from './limits.ts';
import type { SessionHost } from './session-host.ts';
import type { UnackedDelivery } from './unacked.ts';

type TransactionLimits = Pick<
  AmqpLimits,
  'transactionBytesMax' | 'transactionAppendsMax' | 'queuesPerCommitMax'
>;

interface HeldPublish {
  readonly publication: Publication;
  readonly record: Record;
}

/** Settles deliveries that were taken out of their channel. */
type Answer = (deliveries: readonly UnackedDelivery[], settle: (receipt: Receipt) => void) => void;
type HeldAnswer = Parameters<Answer>;

/** The work that a transaction holds back. */
interface Held {
  readonly publishes: HeldPublish[];
  readonly answers: HeldAnswer[];
}

/**
 * The transaction of a channel (class tx): its publishes and answers wait for the commit. They are one commit
 * of the broker then, so that a crash leaves all of them or none.
 */
export class Transaction {
  readonly #bytesMax: number;
  readonly #appendsMax: number;
  readonly #queuesMax: number;
  readonly #queues = new Set<Topic>();
  #held: Held = { publishes: [], answers: [] };
  #bytes = 0;
  #appends = 0;

  constructor({ transactionBytesMax, transactionAppendsMax, queuesPerCommitMax }: TransactionLimits) {
    this.#bytesMax = transactionBytesMax;
    this.#appendsMax = transactionAppendsMax;
    this.#queuesMax = queuesPerCommitMax;
  }

  /** Keeps a copy of a publish. Throws PRECONDITION_FAILED if the transaction is too large. */
  publish(publication: Publication, record: Record): void {
    const copy = copyOf(record);
    this.#bytes += copy.buffer.length + 100;
    for (const { topics } of publication) {
      this.#appends += topics.length;
      if (topics.length <= this.#queuesMax) for (const topic of topics) this.#queues.add(topic);
      if (topics.length > this.#queuesMax || this.#queues.size > this.#queuesMax)
        throw new AmqpError(
          'PRECONDITION_FAILED',
          `the publishes of a transaction go to more than ${this.#queuesMax} queues; commit more often`,
        );
    }
    if (this.#appends > this.#appendsMax)
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `the publishes of a transaction go to queues more than ${this.#appendsMax} times; commit more often`,
      );
    if (this.#bytes > this.#bytesMax)
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `the publishes of a transaction have more than ${this.#bytesMax} bytes; commit more often`,
      );
    this.#held.publishes.push({ publication, record: copy });
  }

  answer(...held: HeldAnswer): void {
    this.#held.answers.push(held);
  }

  /**
   * Carries everything out in one commit; resolves when that is on disk. Rejects with PRECONDITION_FAILED if
   * a queue has refused a publish: the others are published then, as in RabbitMQ.
   */
  commit(host: Pick<SessionHost, 'broker' | 'exchanges'>, answer: Answer): Promise<void> {
    const { publishes, answers } = this.#release();
    const done = publishes.map(
      ({ publication, record }) =>
        new Promise<void>((resolve, reject) => {
          const listener = {
            published: (): void => resolve(),
            refused: (_: number, error: Error): void =>
              reject(new AmqpError('PRECONDITION_FAILED', `partial tx completion: ${error.message}`)),
          };
          publishTo(host, publication, record, listener, 0);
        }),
    );
    for (const held of answers) answer(...held);
    done.push(new Promise((resolve) => host.broker.afterCommit(resolve)));
    return Promise.all(done).then(() => undefined);
  }

  /** Drops the publishes; returns the answered deliveries, which are unanswered again. */
  rollBack(): UnackedDelivery[] {
    return this.#release().answers.flatMap(([deliveries]) => deliveries);
  }

  #release(): Held {
    const held = this.#held;
    this.#held = { publishes: [], answers: [] };
    this.#bytes = 0;
    this.#appends = 0;
    this.#queues.clear();
    return held;
  }
}
