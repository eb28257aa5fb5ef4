import { AwsError, type SnsOutput } from '../../../wire/aws/index.ts';
import type { Caller } from '../../sqs/caller.ts';
import { nameInArn } from '../../sqs/queue-address.ts';
import { subscriptionArn, subscriptionInArn, topicArn, topicInArn } from '../arns.ts';
import { invalidParameter } from '../errors.ts';
import { snsLimits } from '../limits.ts';
import { keyIn, tokenOf } from '../page.ts';
import type { Sns } from '../sns.ts';
import type { SnsTopic } from '../sns-topic.ts';
import type { Subscription } from '../subscription.ts';
import { changedAttributes } from '../subscription-attributes.ts';
import type { Texts } from '../topic-store.ts';
import { type Handler, nothing } from './handler.ts';

/** What SNS delivers to, besides queues. */
const otherProtocols: ReadonlySet<string> = new Set([
  'application',
  'email',
  'email-json',
  'firehose',
  'http',
  'https',
  'lambda',
  'sms',
]);

/**
 * Subscribes a queue. A queue that is subscribed already keeps its subscription, unless an attribute differs.
 */
export const subscribe: Handler<'Subscribe'> = async (sns, caller, input) => {
  const {
    Protocol: protocol,
    Endpoint: endpoint = '',
    Attributes: given = new Map<string, string>(),
  } = input;
  const topic = sns.topics.byName(topicInArn(input.TopicArn));
  if (otherProtocols.has(protocol))
    throw invalidParameter('Protocol', 'This server delivers to queues: the protocol must be sqs');
  if (protocol !== 'sqs')
    throw invalidParameter(`Amazon SNS does not support this protocol string: ${protocol.slice(0, 100)}`);
  const queue = nameInArn(endpoint);
  if (queue === undefined) throw invalidParameter('SQS endpoint ARN');
  if (queue.endsWith('.fifo') && !topic.isFifo)
    throw invalidParameter(
      'Invalid parameter: Endpoint',
      'FIFO SQS Queues can not be subscribed to standard SNS topics',
    );
  const attributes = changedAttributes({}, given, 'Attributes');
  const existing = Array.from(topic.subscriptions.values()).find((one) => one.queue === queue);
  if (existing && !isSame(existing.attributes, attributes))
    throw invalidParameter('Attributes', 'Subscription already exists with different attributes');
  if (existing) await sns.sqs.committed();
  const { id } = existing ?? (await sns.topics.subscribe(topic, { endpoint, attributes }));
  return { SubscriptionArn: subscriptionArn(caller, topic.name, id) };
};

function isSame(a: Texts, b: Texts): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Queues need no confirmation, so no token was ever given out. */
export const confirmSubscription: Handler<'ConfirmSubscription'> = (sns, _caller, { TopicArn: arn }) => {
  sns.topics.byName(topicInArn(arn));
  throw invalidParameter('Token');
};

/** A subscription that is not there is none. */
export const unsubscribe: Handler<'Unsubscribe'> = async (sns, _caller, { SubscriptionArn: arn }) => {
  const { topic, id } = subscriptionInArn(arn);
  const found = sns.topics.get(topic);
  const subscription = found?.subscriptions.get(id);
  if (found && subscription) await sns.topics.unsubscribe(found, subscription);
  return nothing;
};

/** A subscription with its topic. */
interface Listed {
  readonly topic: SnsTopic;
  readonly subscription: Subscription;
}

export const listSubscriptions: Handler<'ListSubscriptions'> = (sns, caller, { NextToken: token }) => {
  const topics = sns.topics.names().filter((name) => caller.access.maySee(name));
  return listed(sns, caller, topics, token);
};

export const listSubscriptionsByTopic: Handler<'ListSubscriptionsByTopic'> = (sns, caller, input) => {
  const { name } = sns.topics.byName(topicInArn(input.TopicArn));
  return listed(sns, caller, [name], input.NextToken);
};

/**
 * A page of the subscriptions to some topics, which are in order. Topics beyond the page are not looked at.
 */
function listed(
  { topics }: Sns,
  caller: Caller,
  names: readonly string[],
  token: string | undefined,
): SnsOutput<'ListSubscriptions'> {
  const found: Listed[] = [];
  const { topic: first, id: after } = placeIn(token);
  for (const name of names) {
    if (first !== undefined && name < first) continue;
    const topic = topics.byName(name);
    const ids = Array.from(topic.subscriptions.keys()).sort();
    for (const id of ids)
      if (name !== first || id > after) found.push({ topic, subscription: topic.subscriptions.get(id)! });
    if (found.length > snsLimits.listedMax) break;
  }
  const items = found.slice(0, snsLimits.listedMax);
  const last = found.length > items.length ? items.at(-1) : undefined;
  return {
    Subscriptions: items.map(({ topic, subscription }) => ({
      SubscriptionArn: subscriptionArn(caller, topic.name, subscription.id),
      Owner: caller.account,
      Protocol: 'sqs',
      Endpoint: subscription.endpoint,
      TopicArn: topicArn(caller, topic.name),
    })),
    NextToken: last && tokenOf(`${last.topic.name} ${last.subscription.id}`),
  };
}

/** The topic and the subscription behind which a page begins. */
function placeIn(token: string | undefined): { readonly topic: string | undefined; readonly id: string } {
  if (token === undefined || token === '') return { topic: undefined, id: '' };
  const [topic, id = ''] = keyIn(token).split(' ');
  return { topic, id };
}

export const getSubscriptionAttributes: Handler<'GetSubscriptionAttributes'> = (sns, caller, input) => {
  const { topic, subscription } = find(sns, input.SubscriptionArn);
  const attributes = new Map([
    ['SubscriptionArn', subscriptionArn(caller, topic.name, subscription.id)],
    ['TopicArn', topicArn(caller, topic.name)],
    ['Owner', caller.account],
    ['Protocol', 'sqs'],
    ['Endpoint', subscription.endpoint],
    ['ConfirmationWasAuthenticated', 'true'],
    ['PendingConfirmation', 'false'],
    ['SubscriptionPrincipal', `arn:aws:iam::${caller.account}:root`],
    ['RawMessageDelivery', 'false'],
  ]);
  if (subscription.filter) attributes.set('FilterPolicyScope', 'MessageAttributes');
  for (const [name, value] of Object.entries(subscription.attributes)) attributes.set(name, value);
  return { Attributes: attributes };
};

export const setSubscriptionAttributes: Handler<'SetSubscriptionAttributes'> = async (
  sns,
  _caller,
  input,
) => {
  const { topic, subscription } = find(sns, input.SubscriptionArn);
  const change = new Map([[input.AttributeName, input.AttributeValue ?? '']]);
  const attributes = changedAttributes(subscription.attributes, change, 'AttributeName');
  await sns.topics.setSubscriptionAttributes(topic, subscription, attributes);
  return nothing;
};

/** Throws NotFound. */
function find(sns: Sns, arn: string): Listed {
  const { topic: name, id } = subscriptionInArn(arn);
  const topic = sns.topics.get(name);
  const subscription = topic?.subscriptions.get(id);
  if (!topic || !subscription) throw new AwsError('NotFound', 'Subscription does not exist');
  return { topic, subscription };
}
