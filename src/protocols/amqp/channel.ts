import type { ConsumerEnd, Delivery, Receipt } from '../../broker/index.ts';
import { methods, type Arguments, type Method } from '../../wire/amqp/index.ts';
import { Confirms } from './confirms.ts';
import type { AmqpConsumer } from './consumer.ts';
import { Content } from './content.ts';
import { writeDelivery } from './delivery-writer.ts';
import type { ReplyConsumer } from './direct-replies.ts';
import { AmqpError } from './errors.ts';
import type { PublishTarget } from './publish-target.ts';
import { traitsOf } from './queue-traits.ts';
import type { Session } from './session.ts';
import type { Transaction } from './transaction.ts';
import { Unacked, type UnackedDelivery } from './unacked.ts';

/**
 * A channel is one of the conversations of a connection: it publishes, has consumers and their unanswered
 * deliveries, and ends alone when something is wrong with it.
 */
export class Channel {
  readonly session: Session;
  readonly number: number;
  readonly consumers: Map<string, AmqpConsumer> = new Map();
  readonly unacked: Unacked = new Unacked();
  /** The message that is being received. */
  readonly content: Content = new Content();
  /** The target of the last publish. */
  target: PublishTarget | undefined = undefined;
  /** The queue that was last declared, which an empty name stands for. */
  lastQueue = '';
  /** The prefetch of consumers that are yet to come, and that of the channel; 0: no limit. */
  consumerPrefetch = 0;
  prefetch = 0;
  confirms: Confirms | undefined = undefined;
  transaction: Transaction | undefined = undefined;
  /** Takes direct replies, if the client has asked for them. */
  replies: ReplyConsumer | undefined = undefined;
  /** The server has closed the channel, and the client has yet to confirm that. */
  isClosing = false;
  #isClosed = false;
  #lastConsumer = 0;
  /** The tags of consumers that have ended, while the client is not told. */
  #ended: string[] | undefined = undefined;

  constructor(session: Session, number: number) {
    this.session = session;
    this.number = number;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many more deliveries the channel takes. */
  get deliveriesLeft(): number {
    const { unackedMax } = this.session.host.limits;
    return (this.prefetch === 0 ? unackedMax : this.prefetch) - this.unacked.size;
  }

  send<M extends Method>(method: M, values: Arguments<M>): void {
    if (!this.#isClosed) this.session.send(this.number, method, values);
  }

  /** A tag for a consumer without one. */
  nextConsumerTag(): string {
    return `amq.ctag-${this.session.id.toString(36)}-${this.number}-${++this.#lastConsumer}`;
  }

  /** Switches confirms on. */
  confirmPublishes(): void {
    this.confirms ??= new Confirms({
      ack: (deliveryTag, multiple) => this.send(methods.basic.ack, { deliveryTag, multiple }),
      nack: (deliveryTag) => this.send(methods.basic.nack, { deliveryTag, multiple: false, requeue: false }),
    });
  }

  // ---- deliveries

  deliver(consumer: AmqpConsumer, { record, deliveries, attempt }: Delivery, receipt: Receipt): void {
    const tag = this.unacked.nextTag();
    const { session } = this;
    writeDelivery(
      session.output,
      { kind: 'deliver', consumerTag: consumer.tagBytes },
      {
        channel: this.number,
        deliveryTag: tag,
        deliveries,
        attempt,
        showsCounts: deliveries > 1 && traitsOf(consumer.topic).countsDeliveries,
        record,
        queue: consumer.queueBytes,
        isDurable: consumer.topic.config.durability === 'disk',
        showsOffset: consumer.showsOffsets,
        broker: session.host.broker,
        names: session.names,
      },
      session.frameBytesMax,
    );
    if (consumer.noAck) return;
    consumer.unacked++;
    const deliveredMs = session.host.clock.monotonic();
    this.unacked.add({ tag, receipt, consumer, deliveredMs, timeoutMs: consumer.timeoutMs });
  }

  /** Takes deliveries out to be answered. Throws PRECONDITION_FAILED for an unknown tag. */
  take(deliveryTag: number, multiple: boolean): UnackedDelivery[] {
    const taken = this.unacked.take(deliveryTag, multiple);
    if (!taken) throw new AmqpError('PRECONDITION_FAILED', `unknown delivery tag ${deliveryTag}`);
    return taken;
  }

  /** Answers deliveries that were taken out, and lets their consumers go on. */
  answer(deliveries: readonly UnackedDelivery[], settle: (receipt: Receipt) => void): void {
    const isFull = this.deliveriesLeft <= deliveries.length;
    for (const { receipt, consumer } of deliveries) {
      settle(receipt);
      if (!consumer) continue;
      consumer.unacked--;
      if (!isFull) consumer.group.wake();
    }
    // Any consumer may have waited for the channel.
    if (isFull) this.wakeConsumers();
  }

  /** Drops what the transaction holds; deliveries that were answered in it are unanswered again. */
  rollBack(): void {
    if (this.transaction) this.unacked.putBack(this.transaction.rollBack());
  }

  wakeConsumers(): void {
    for (const { group } of this.consumers.values()) group.wake();
  }

  // ---- consumers

  /**
   * Adds a consumer to its queue. Throws a BrokerError if another one excludes it, or if the broker has as
   * many as it may.
   */
  consume(consumer: AmqpConsumer, exclusive: boolean): void {
    this.session.host.broker.budgets.check('consumers');
    consumer.group.attach(consumer, { exclusive });
    this.consumers.set(consumer.tag, consumer);
    this.session.host.queues.consumerAttached(consumer.topic);
  }

  /** Ends a consumer; its deliveries may still be answered. */
  cancel(consumer: AmqpConsumer): void {
    if (!this.consumers.delete(consumer.tag)) return;
    consumer.leave();
    this.session.host.queues.consumerDetached(consumer.topic);
  }

  /** Ends the consumer of direct replies. */
  closeReplies(): void {
    if (this.replies) this.session.host.replies.close(this.replies);
    this.replies = undefined;
  }

  /** The queue of a consumer is gone: the client is told if it understands that. */
  consumerEnded(consumer: AmqpConsumer, reason: ConsumerEnd): void {
    if (!this.consumers.delete(consumer.tag) || reason === 'closed') return;
    if (!this.session.client.hearsCancels) return;
    if (this.#ended) this.#ended.push(consumer.tag);
    else this.send(methods.basic.cancel, { consumerTag: consumer.tag, noWait: true });
  }

  /** Holds back the words on ended consumers while a method of the client ends their queue. */
  holdCancels(): void {
    this.#ended ??= [];
  }

  /** Says what was held back; to be called after the answer to that method, as RabbitMQ does. */
  sendCancels(): void {
    const ended = this.#ended ?? [];
    this.#ended = undefined;
    for (const consumerTag of ended) this.send(methods.basic.cancel, { consumerTag, noWait: true });
  }

  // ---- the end

  /** Ends the channel: its consumers leave, and unanswered deliveries go back to their queues, in order. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.content.clear();
    this.rollBack();
    this.closeReplies();
    const consumers = [...this.consumers.values()];
    this.consumers.clear();
    for (const consumer of consumers) consumer.leave();
    for (const { receipt } of this.unacked.takeAll()) receipt.release();
    for (const consumer of consumers) this.session.host.queues.consumerDetached(consumer.topic);
  }
}
