import { createHash, randomUUID } from 'node:crypto';
import { FilterInput } from '../../wire/aws/index.ts';
import type { Caller } from '../sqs/caller.ts';
import type { Queue } from '../sqs/queue.ts';
import { type CheckedMessage, checkMessage, refusalOfSend } from '../sqs/sending.ts';
import type { MessageAttribute } from '../sqs/stored-message.ts';
import { subscriptionArn, topicArn } from './arns.ts';
import { envelopeOf } from './envelope.ts';
import { refusalOf } from './errors.ts';
import type { Notification } from './message.ts';
import type { Sns } from './sns.ts';
import type { SnsTopic } from './sns-topic.ts';
import type { Subscription } from './subscription.ts';

/** A message on its way to one queue. */
export interface Delivery {
  readonly queue: Queue;
  readonly message: CheckedMessage;
}

/** What a queue gets of a message. */
interface Content {
  readonly body: string;
  readonly attributes: ReadonlyMap<string, MessageAttribute>;
}

type Attempt =
  | { readonly kind: 'fits'; readonly delivery: Delivery }
  /** The queue refuses the message for what it is, or is not there. */
  | { readonly kind: 'unfit'; readonly error: unknown }
  /** The queue has no room now. */
  | { readonly kind: 'full'; readonly error: unknown };

const none: ReadonlyMap<string, MessageAttribute> = new Map();

/** The fan-out of one message: to which queues it goes, and as what. It changes nothing itself. */
export class FanOut {
  readonly messageId: string = randomUUID();
  /** Of a message of a FIFO topic. */
  readonly sequenceNumber: string | undefined;
  readonly #sns: Sns;
  readonly #topic: SnsTopic;
  readonly #caller: Caller;
  readonly #message: Notification;
  readonly #timestampMs: number;

  constructor(sns: Sns, topic: SnsTopic, caller: Caller, message: Notification) {
    this.#sns = sns;
    this.#topic = topic;
    this.#caller = caller;
    this.#message = message;
    this.#timestampMs = sns.broker.clock.now();
    this.sequenceNumber = topic.isFifo ? sns.sequence.next() : undefined;
  }

  /**
   * The deliveries, to all queues whose filters let the message pass. Every queue decides here, before the
   * first of them changes. Throws if one has no room that has no dead-letter queue either: the publisher must
   * try again.
   */
  deliveries(): Delivery[] {
    const input = new FilterInput(this.#message.attributes, this.#message.text);
    const deliveries: Delivery[] = [];
    for (const subscription of this.#topic.subscriptions.values()) {
      if (subscription.filter?.matches(input) === false) continue;
      const delivery = this.#deliveryTo(subscription);
      if (delivery) deliveries.push(delivery);
    }
    return deliveries;
  }

  /**
   * The delivery to the queue of a subscription, or to its dead-letter queue if that cannot take the message.
   * Undefined if the message will never fit and there is no other queue: it is dropped then, as SNS does.
   */
  #deliveryTo(subscription: Subscription): Delivery | undefined {
    const { isRaw, queue, deadLetterQueue } = subscription;
    const content = isRaw ? this.#raw() : this.#envelope(subscription);
    const attempt = this.#try(queue, content, this.#message.dedupeId);
    if (attempt.kind === 'fits') {
      subscription.isFailing = false;
      return attempt.delivery;
    }
    const letter =
      deadLetterQueue === undefined ? undefined : this.#tryLetter(subscription, deadLetterQueue, content);
    if (letter?.kind === 'fits') return letter.delivery;
    for (const failed of [attempt, letter]) if (failed?.kind === 'full') throw failed.error;
    if (!subscription.isFailing) this.#sns.report(subscription.id, attempt.error);
    subscription.isFailing = true;
    return undefined;
  }

  /** A raw message with more attributes than a queue takes becomes a letter in its envelope. */
  #tryLetter(subscription: Subscription, queue: string, content: Content): Attempt {
    // The letters of several subscriptions may meet in one queue, and are no duplicates there.
    const id = `${subscription.id} ${this.#message.dedupeId}`;
    const dedupeId = createHash('sha256').update(id).digest('hex');
    const attempt = this.#try(queue, content, dedupeId);
    if (attempt.kind !== 'unfit' || !subscription.isRaw) return attempt;
    return this.#try(queue, this.#envelope(subscription), dedupeId);
  }

  #raw(): Content {
    return { body: this.#message.text, attributes: this.#message.attributes };
  }

  #envelope({ id }: Subscription): Content {
    const { text, subject, attributes } = this.#message;
    const arn = subscriptionArn(this.#caller, this.#topic.name, id);
    const body = envelopeOf({
      messageId: this.messageId,
      sequenceNumber: this.sequenceNumber,
      topicArn: topicArn(this.#caller, this.#topic.name),
      subject,
      text,
      timestampMs: this.#timestampMs,
      unsubscribeUrl: `${this.#caller.origin}/?Action=Unsubscribe&SubscriptionArn=${arn}`,
      attributes,
    });
    return { body, attributes: none };
  }

  #try(name: string, { body, attributes }: Content, dedupeId: string | undefined): Attempt {
    const { sqs } = this.#sns;
    let delivery: Delivery;
    try {
      const queue = sqs.queues.byName(name);
      const given = {
        MessageBody: body,
        MessageAttributes: attributes,
        MessageGroupId: this.#message.group,
        // A standard queue has no deduplication.
        MessageDeduplicationId: queue.isFifo ? dedupeId : undefined,
      };
      delivery = { queue, message: checkMessage(queue, given, false) };
    } catch (error) {
      if (!refusalOf(error)) throw error;
      return { kind: 'unfit', error };
    }
    const error = refusalOfSend(sqs, delivery.queue, delivery.message);
    if (!error) return { kind: 'fits', delivery };
    return { kind: error.code === 'message-too-large' ? 'unfit' : 'full', error };
  }
}
