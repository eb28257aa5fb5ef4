import type { Topic } from '../../broker/index.ts';
import type { Caller } from '../sqs/caller.ts';
import { sendMessage } from '../sqs/sending.ts';
import { FanOut } from './fan-out.ts';
import type { LedgerLook } from './ledger.ts';
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
  const published = deliverOnce(sns, topic, caller, message, `${topic.name} ${id}`);
  topic.recent.add(id, published, nowMs);
  return published;
}

/** Publishes unless the ledger knows the id, from before a restart. */
function deliverOnce(
  sns: Sns,
  topic: SnsTopic,
  caller: Caller,
  message: Notification,
  id: string,
): Promise<PublishedMessage> {
  const ledger = sns.ledger.topic;
  const go = async (opened: Topic): Promise<PublishedMessage> => {
    const look = sns.ledger.look(opened, id);
    const earlier = look.kind === 'repeated' ? await look.message : undefined;
    return earlier ?? deliver(sns, topic, caller, message, look);
  };
  return ledger instanceof Promise ? ledger.then(go) : go(ledger);
}

async function deliver(
  sns: Sns,
  topic: SnsTopic,
  caller: Caller,
  message: Notification,
  look?: LedgerLook,
): Promise<PublishedMessage> {
  const fanOut = new FanOut(sns, topic, caller, message);
  const published = { MessageId: fanOut.messageId, SequenceNumber: fanOut.sequenceNumber };
  // All in this synchronous run, and so in one commit.
  const deliveries = fanOut.deliveries();
  const sent: Promise<unknown>[] = deliveries.map((one) => sendMessage(sns.sqs, one.queue, one.message));
  if (look?.kind === 'new') sent.push(look.write(published));
  await Promise.all(sent);
  return published;
}
