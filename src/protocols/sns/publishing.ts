import { randomUUID } from 'node:crypto';
import { FilterInput } from '../../wire/aws/index.ts';
import type { Caller } from '../sqs/caller.ts';
import type { Queue } from '../sqs/queue.ts';
import { type CheckedMessage, checkMessage, refusalOfSend, sendMessage } from '../sqs/sending.ts';
import type { MessageAttribute } from '../sqs/stored-message.ts';
import { subscriptionArn, topicArn } from './arns.ts';
import { envelopeOf } from './envelope.ts';
import { refusalOf } from './errors.ts';
import type { Notification } from './message.ts';
import type { PublishedMessage } from './recent-messages.ts';
import type { Sns } from './sns.ts';
import type { SnsTopic } from './sns-topic.ts';
import type { Subscription } from './subscription.ts';

/** A message on its way to one queue. */
interface Delivery {
  readonly queue: Queue;
  readonly message: CheckedMessage;
}

/** The identity of a message, which all its queues see. */
interface Identity {
  readonly messageId: string;
  readonly sequenceNumber: string | undefined;
  readonly timestampMs: number;
}

/**
 * Publishes a checked message; resolves when it is on disk in all queues that subscribe and whose filters let it
 * pass. All of them get it in one commit. Rejects with an AwsError or a BrokerError, and no queue has the message
 * then.
 */
export function publish(
  sns: Sns,
  topic: SnsTopic,
  caller: Caller,
  message: Notification,
): Promise<PublishedMessage> {
  const { dedupeId, group } = message;
  if (dedupeId === undefined) return deliver(sns, topic, caller, message);
  const nowMs = sns.broker.clock.now();
  // No group has a blank, so that ids of groups and of the topic are apart.
  const id = topic.dedupesByTopic ? dedupeId : `${group} ${dedupeId}`;
  const earlier = topic.recent.get(id, nowMs);
  if (earlier) return earlier;
  const published = deliver(sns, topic, caller, message);
  topic.recent.add(id, published, nowMs);
  return published;
}

async function deliver(
  sns: Sns,
  topic: SnsTopic,
  caller: Caller,
  message: Notification,
): Promise<PublishedMessage> {
  const identity: Identity = {
    messageId: randomUUID(),
    sequenceNumber: topic.isFifo ? sns.sequence.next() : undefined,
    timestampMs: sns.broker.clock.now(),
  };
  const deliveries = deliveriesOf(sns, topic, caller, message, identity);
  // All in this run, and so in one commit.
  await Promise.all(deliveries.map((delivery) => sendMessage(sns.sqs, delivery.queue, delivery.message)));
  return { MessageId: identity.messageId, SequenceNumber: identity.sequenceNumber };
}

/** Every queue decides before the first of them changes. Throws if one refuses that has no dead-letter queue. */
function deliveriesOf(
  sns: Sns,
  topic: SnsTopic,
  caller: Caller,
  message: Notification,
  identity: Identity,
): Delivery[] {
  const input = new FilterInput(message.attributes, message.text);
  const deliveries: Delivery[] = [];
  for (const subscription of topic.subscriptions.values()) {
    if (subscription.filter?.matches(input) === false) continue;
    const given = messageFor(subscription, topic, caller, message, identity);
    const delivery = deliveryTo(sns, subscription, given, message);
    if (delivery) deliveries.push(delivery);
  }
  return deliveries;
}

interface MessageForQueue {
  readonly body: string;
  readonly attributes: ReadonlyMap<string, MessageAttribute>;
}

const none: ReadonlyMap<string, MessageAttribute> = new Map();

function messageFor(
  subscription: Subscription,
  topic: SnsTopic,
  caller: Caller,
  { text, subject, attributes }: Notification,
  { messageId, sequenceNumber, timestampMs }: Identity,
): MessageForQueue {
  if (subscription.isRaw) return { body: text, attributes };
  const arn = subscriptionArn(caller, topic.name, subscription.id);
  const body = envelopeOf({
    messageId,
    sequenceNumber,
    topicArn: topicArn(caller, topic.name),
    subject,
    text,
    timestampMs,
    unsubscribeUrl: `${caller.origin}/?Action=Unsubscribe&SubscriptionArn=${arn}`,
    attributes,
  });
  return { body, attributes: none };
}

/**
 * The delivery to the queue of a subscription, or to its dead-letter queue if that cannot take the message.
 * Undefined if the message will never fit, or the queue is not there, and there is no dead-letter queue: it is
 * dropped then, as SNS does. Throws if the queue has no room now: the publisher must try again.
 */
function deliveryTo(
  sns: Sns,
  subscription: Subscription,
  given: MessageForQueue,
  notification: Notification,
): Delivery | undefined {
  const attempt = tryQueue(sns, subscription.queue, given, notification);
  if (attempt.kind === 'fits') {
    subscription.isFailing = false;
    return attempt.delivery;
  }
  const { deadLetterQueue } = subscription;
  const letter =
    deadLetterQueue === undefined ? undefined : tryQueue(sns, deadLetterQueue, given, notification);
  if (letter?.kind === 'fits') return letter.delivery;
  for (const failed of [attempt, letter]) if (failed?.kind === 'full') throw failed.error;
  if (!subscription.isFailing) sns.report(subscription.id, attempt.error);
  subscription.isFailing = true;
  return undefined;
}

type Attempt =
  | { readonly kind: 'fits'; readonly delivery: Delivery }
  /** The queue refuses the message for what it is. */
  | { readonly kind: 'unfit'; readonly error: unknown }
  /** The queue has no room now. */
  | { readonly kind: 'full'; readonly error: unknown };

function tryQueue(
  { sqs }: Sns,
  name: string,
  { body, attributes }: MessageForQueue,
  { group, dedupeId }: Notification,
): Attempt {
  let delivery: Delivery;
  try {
    const queue = sqs.queues.byName(name);
    const message = checkMessage(
      queue,
      {
        MessageBody: body,
        MessageAttributes: attributes,
        MessageGroupId: group,
        // A standard queue has no deduplication.
        MessageDeduplicationId: queue.isFifo ? dedupeId : undefined,
      },
      false,
    );
    delivery = { queue, message };
  } catch (error) {
    if (!refusalOf(error)) throw error;
    return { kind: 'unfit', error };
  }
  const error = refusalOfSend(sqs, delivery.queue, delivery.message);
  if (!error) return { kind: 'fits', delivery };
  return { kind: error.code === 'message-too-large' ? 'unfit' : 'full', error };
}
