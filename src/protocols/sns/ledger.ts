import { BrokerError, recordOf, type Broker, type PublishListener, type Topic } from '../../broker/index.ts';
import type { SnsLimits } from './limits.ts';
import type { PublishedMessage } from './recent-messages.ts';

/** The topic of the ledger, as all protocols but SQS show it. */
export const ledgerName = 'sns-deduplication';

/** Records are kept somewhat longer than their ids, which they are asked for by. */
const spareMs = 60_000;

/** An entry of the ledger that is not written yet, or the publish that has the same id. */
export type LedgerLook =
  | { readonly kind: 'new'; write(message: PublishedMessage): Promise<void> }
  | { readonly kind: 'repeated'; readonly message: Promise<PublishedMessage | undefined> };

/**
 * The ledger of FIFO topics: what their publishers were told, by deduplication id. It is a topic of the
 * broker whose own deduplication knows the ids, so that it survives a restart. An entry is in the same commit
 * as the messages in the queues.
 */
export class Ledger {
  readonly #broker: Broker;
  readonly #limits: SnsLimits;

  constructor(broker: Broker, limits: SnsLimits) {
    this.#broker = broker;
    this.#limits = limits;
  }

  /**
   * The topic, which the first publish creates. It takes entries at once, so that publishes keep their order;
   * its creation is in the same commit or an earlier one. A promise: it cannot be created, and rejects.
   */
  get topic(): Topic | Promise<Topic> {
    const there = this.#broker.topic(ledgerName);
    if (there) return there;
    const { deduplicationMs } = this.#limits;
    const creating = this.#broker.createTopic({
      name: ledgerName,
      retention: 'limits',
      ageMsMax: deduplicationMs + spareMs,
      dedupeWindowMs: deduplicationMs,
    });
    const topic = this.#broker.topic(ledgerName);
    if (!topic) return creating;
    creating.catch(() => undefined); // the publish fails, too
    return topic;
  }

  /** Looks for an id. A new entry is to be written in the same synchronous run. Throws a BrokerError. */
  look(topic: Topic, id: string): LedgerLook {
    const record = recordOf({ key: null, value: '', timestampMs: this.#broker.clock.now() });
    const options = { dedupeId: id };
    const admission = topic.admit(record, options);
    if (admission.kind === 'duplicate')
      return { kind: 'repeated', message: this.#read(topic, admission.partition.index, admission.offset) };
    if (admission.kind === 'refused') throw admission.error;
    if (admission.kind !== 'accepted') throw new BrokerError('limit-reached', 'SNS has publishes waiting.');
    return { kind: 'new', write: (message) => this.#write(topic, id, message) };
  }

  #write(topic: Topic, id: string, { MessageId, SequenceNumber }: PublishedMessage): Promise<void> {
    const value = `${MessageId} ${SequenceNumber ?? ''}`;
    const record = recordOf({ key: null, value, timestampMs: this.#broker.clock.now() });
    return new Promise((resolve, reject) => {
      const listener: PublishListener<undefined> = {
        published: () => resolve(),
        refused: (_, error) => reject(error),
      };
      topic.publish(record, { dedupeId: id }, listener, undefined);
    });
  }

  async #read(topic: Topic, partition: number, offset: number): Promise<PublishedMessage | undefined> {
    const record = await topic.partitions.at(partition)?.get(offset);
    if (!record?.value) return undefined;
    const [MessageId = '', SequenceNumber] = Buffer.from(record.value).toString('latin1').split(' ');
    return { MessageId, SequenceNumber };
  }
}
