import {
  Receipt,
  type Consumer,
  type ConsumerEnd,
  type Delivery,
  type Group,
  type Topic,
} from '../../broker/index.ts';
import type { Channel } from './channel.ts';
import { deadlineOf } from './queue-arguments.ts';
import { traitsOf } from './queue-traits.ts';

/** The fields of a basic.consume that a consumer keeps. */
export interface ConsumerOptions {
  readonly tag: string;
  readonly noAck: boolean;
  /** The most unanswered deliveries; 0: as many as the channel may have. */
  readonly prefetch: number;
  readonly priority: number;
  /** The time that it has for an answer; undefined: that of the queue, or of the server. */
  readonly timeoutMs?: number | undefined;
}

/** An AMQP consumer takes the messages of a queue for one basic.consume. */
export class AmqpConsumer implements Consumer {
  readonly tag: string;
  readonly topic: Topic;
  readonly group: Group;
  readonly noAck: boolean;
  /** The most unanswered deliveries; 0: no limit of its own. */
  readonly prefetch: number;
  readonly priority: number;
  /** Whether its deliveries say the offset of their message. */
  readonly showsOffsets: boolean = false;
  /** The time that it has for an answer, and the broker's deadline if that is not the one of its group. */
  readonly timeoutMs: number;
  readonly ackWaitMs: number | undefined;
  readonly connection: number;
  readonly creditBytes: number = Infinity;
  /** The tag and the name of the queue, as they are written. */
  readonly tagBytes: Buffer;
  readonly queueBytes: Buffer;
  /** Unanswered deliveries. */
  unacked = 0;
  readonly #channel: Channel;
  readonly #prefetch: number;
  #isWaitingForOutput = false;
  /** Deliveries to be acked without an answer of the client. */
  #toAck: Receipt[] = [];

  constructor(
    channel: Channel,
    group: Group,
    { tag, noAck, prefetch, priority, timeoutMs }: ConsumerOptions,
  ) {
    this.#channel = channel;
    this.#prefetch = prefetch === 0 || noAck ? Infinity : prefetch;
    this.tag = tag;
    this.group = group;
    this.topic = group.topic;
    this.noAck = noAck;
    this.prefetch = prefetch;
    this.priority = priority;
    this.timeoutMs =
      timeoutMs ?? traitsOf(group.topic).consumerTimeoutMs ?? channel.session.host.limits.consumerTimeoutMs;
    this.ackWaitMs = timeoutMs && deadlineOf(timeoutMs);
    this.connection = channel.session.id;
    this.tagBytes = Buffer.from(tag, 'utf8');
    this.queueBytes = Buffer.from(channel.session.host.queues.nameOf(group.topic), 'utf8');
  }

  get label(): string {
    return this.tag;
  }

  get credit(): number {
    const channel = this.#channel;
    if (channel.session.output.congested) {
      this.#wakeWhenDrained();
      return 0;
    }
    return this.noAck ? 1 : Math.min(this.#prefetch - this.unacked, channel.deliveriesLeft);
  }

  receive(delivery: Delivery): void {
    const receipt = Receipt.of(this.group, delivery);
    this.#channel.deliver(this, delivery, receipt);
    if (this.noAck) this.ackLater(receipt);
  }

  /** Takes no more messages; its deliveries may still be answered. */
  leave(): void {
    this.group.detach(this);
  }

  ended(reason: ConsumerEnd): void {
    this.#channel.consumerEnded(this, reason);
  }

  /** A delivery cannot be acked while it is made. */
  protected ackLater(receipt: Receipt): void {
    if (this.#toAck.push(receipt) === 1) queueMicrotask(() => this.#ackDelivered());
  }

  #ackDelivered(): void {
    const receipts = this.#toAck;
    this.#toAck = [];
    for (const receipt of receipts) receipt.ack();
  }

  #wakeWhenDrained(): void {
    if (this.#isWaitingForOutput) return;
    this.#isWaitingForOutput = true;
    this.#channel.session.output.whenDrained(() => {
      this.#isWaitingForOutput = false;
      this.group.wake();
    });
  }
}
