import type { AsyncMessage, Channel, Connection } from 'rabbitmq-client';
import { Queue, type Clock } from '../../../util/index.ts';
import type { DeliverySink, Puller } from '../../driver.ts';
import { ClientError } from '../../errors.ts';

/** The wait before a consumer that was lost begins anew. */
const againMs = 250;

/** A consumer of a queue on a channel of its own. */
export interface AmqpDeliveryOf {
  (channel: Channel, message: AsyncMessage, settled: () => void): void;
}

/**
 * A puller is a consumer with a prefetch. What came beyond the messages that were asked for waits here; when
 * all that was prefetched is held and more is asked for, another consumer joins on the same channel. After a
 * lost connection the consumer begins anew, and what was held comes again.
 */
export class AmqpPuller implements Puller {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #queue: string;
  readonly #sink: DeliverySink;
  readonly #deliver: AmqpDeliveryOf;
  readonly #fetched = new Queue<AsyncMessage>();
  #channel: Channel | undefined;
  #isOpen = true;
  #isStarting = false;
  #isGrowing = false;
  #wanted = 0;
  /** Messages that may be held or fetched on this channel. */
  #capacity = 0;
  #held = 0;
  readonly #tags: string[] = [];

  constructor(
    connection: Connection,
    clock: Clock,
    queue: string,
    sink: DeliverySink,
    deliver: AmqpDeliveryOf,
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#queue = queue;
    this.#sink = sink;
    this.#deliver = deliver;
  }

  ask(count: number): void {
    this.#wanted += count;
    this.#pass();
    this.#growSoon();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    const channel = this.#channel;
    if (!channel) return;
    for (let next = this.#fetched.shift(); next; next = this.#fetched.shift())
      channel.basicNack({ deliveryTag: next.deliveryTag, requeue: true });
    for (const consumerTag of this.#tags.splice(0))
      await channel.basicCancel({ consumerTag }).catch(() => undefined);
    if (this.#held === 0) await this.#end();
  }

  /** An answer that is given right before more is asked for makes room first. */
  #growSoon(): void {
    if (this.#wanted === 0 || this.#isGrowing) return;
    this.#isGrowing = true;
    this.#clock.defer(() => {
      this.#isGrowing = false;
      void this.#grow();
    });
  }

  /** Makes sure that as many messages may be out as are held and wanted. */
  async #grow(): Promise<void> {
    if (this.#isStarting || !this.#isOpen || this.#capacity >= this.#held + this.#wanted) return;
    this.#isStarting = true;
    try {
      const channel = (this.#channel ??= await this.#open());
      const missing = this.#held + this.#wanted - this.#capacity;
      this.#capacity += missing;
      await channel.basicQos({ prefetchCount: Math.min(missing, 65_535) });
      const { consumerTag } = await channel.basicConsume({ queue: this.#queue }, (message) => {
        if (this.#channel === channel) this.#received(message);
      });
      this.#tags.push(consumerTag);
      this.#growSoon();
    } catch (error) {
      this.#lost(error as Error);
    }
    this.#isStarting = false;
    if (!this.#isOpen) await this.close();
  }

  async #open(): Promise<Channel> {
    const channel = await this.#connection.acquire();
    channel.on('close', () => {
      if (this.#channel !== channel) return;
      this.#lost(new ClientError('unreachable', `The consumer of queue "${this.#queue}" was lost.`));
    });
    channel.on('basic.cancel', () => {
      this.#isOpen = false;
      this.#sink.ended(new ClientError('closed', `Queue "${this.#queue}" was deleted.`));
    });
    return channel;
  }

  #lost(error: Error): void {
    this.#channel = undefined;
    this.#fetched.clear();
    this.#capacity = 0;
    this.#held = 0;
    this.#tags.length = 0;
    if (!this.#isOpen) return;
    this.#sink.failed(error);
    this.#clock.setTimer(againMs, () => void this.#grow());
  }

  #received(message: AsyncMessage): void {
    this.#held += 1;
    this.#fetched.push(message);
    this.#pass();
  }

  #pass(): void {
    while (this.#wanted > 0) {
      const channel = this.#channel;
      const message = channel && this.#fetched.shift();
      if (!message) return;
      this.#wanted -= 1;
      this.#deliver(channel, message, () => this.#settled(channel));
    }
  }

  #settled(channel: Channel): void {
    if (this.#channel !== channel) return;
    this.#held = Math.max(0, this.#held - 1);
    if (!this.#isOpen && this.#held === 0) void this.#end();
  }

  async #end(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    await channel?.close().catch(() => undefined);
  }
}
