import { Receipt, type Delivery, type Group } from '../../../broker/index.ts';
import type { Channel } from '../channel.ts';
import { AmqpConsumer, type ConsumerOptions } from '../consumer.ts';
import type { StreamFilter } from './stream-filter.ts';

export interface StreamConsumerOptions extends ConsumerOptions {
  readonly filter: StreamFilter | undefined;
}

/**
 * A stream consumer reads a stream by itself, by a group of its own that is in memory only and ends with it.
 * Its answers remove nothing and bring nothing back, whatever they are: they give credit.
 */
export class StreamConsumer extends AmqpConsumer {
  override readonly showsOffsets: boolean = true;
  readonly #filter: StreamFilter | undefined;

  constructor(channel: Channel, group: Group, { filter, ...options }: StreamConsumerOptions) {
    super(channel, group, options);
    this.#filter = filter;
  }

  override receive(delivery: Delivery): void {
    if (this.#filter === undefined || this.#filter.passes(delivery.record)) super.receive(delivery);
    else this.passOver(delivery);
  }

  override leave(): void {
    super.leave();
    // A consumer may leave while it gets a delivery, and the group has to end that first. If the deletion
    // fails, the log has failed: the process ends.
    queueMicrotask(() => void this.group.delete().catch(() => undefined));
  }

  /**
   * Is told of a delivery that does not pass the filter; the group of one consumer is done with it already.
   */
  protected passOver(delivery: Delivery): void;
  protected passOver(): void {}
}

/**
 * A consumer of a stream with a single active consumer shares the group of the queue, which keeps the
 * position: the next consumer goes on behind what was acked.
 */
export class SharedStreamConsumer extends StreamConsumer {
  override leave(): void {
    this.group.detach(this);
  }

  protected override passOver(delivery: Delivery): void {
    this.ackLater(Receipt.of(this.group, delivery));
  }
}
