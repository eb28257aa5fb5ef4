import type { Caller } from '../sqs/caller.ts';
import { sendMessage } from '../sqs/sending.ts';
import { FanOut } from './fan-out.ts';
import type { Notification } from './message.ts';
import type { PublishedMessage } from './recent-messages.ts';
import type { Sns } from './sns.ts';
import type { SnsTopic } from './sns-topic.ts';

/**
 * Publishes a checked message; resolves when it is on disk in all queues that subscribe and whose filters let
 * it pass. All of them get it in one commit. Rejects with an AwsError or a BrokerError, and no queue has the
 * message then.
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
  const fanOut = new FanOut(sns, topic, caller, message);
  // All in this synchronous run, and so in one commit.
  const sent = fanOut.deliveries().map(({ queue, message }) => sendMessage(sns.sqs, queue, message));
  await Promise.all(sent);
  return { MessageId: fanOut.messageId, SequenceNumber: fanOut.sequenceNumber };
}
