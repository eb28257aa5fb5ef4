import { parseArn } from '../../wire/aws/index.ts';
import type { Caller } from '../sqs/caller.ts';
import { invalidParameter } from './errors.ts';

// How clients address topics and subscriptions. As with queues, only the name matters: a client sees the
// account and the region that it knows itself.

/** `arn:aws:sns:us-east-1:000000000000:events` */
export function topicArn({ region, account }: Caller, topic: string): string {
  return `arn:aws:sns:${region}:${account}:${topic}`;
}

/** `arn:aws:sns:us-east-1:000000000000:events:6a3c…` */
export function subscriptionArn(caller: Caller, topic: string, id: string): string {
  return `${topicArn(caller, topic)}:${id}`;
}

/** The topic that an ARN names. Throws InvalidParameter for a text that is no ARN of a topic. */
export function topicInArn(text: string, parameter = 'TopicArn'): string {
  const [topic = '', ...more] = resourceOf(text, parameter).split(':');
  if (more.length > 0) throw invalidParameter(parameter);
  return topic;
}

/** The topic and the id that an ARN of a subscription names. Throws InvalidParameter. */
export function subscriptionInArn(text: string): { readonly topic: string; readonly id: string } {
  const [topic = '', id, ...more] = resourceOf(text, 'SubscriptionArn').split(':');
  if (id === undefined || more.length > 0) throw invalidParameter('SubscriptionArn');
  return { topic, id };
}

function resourceOf(text: string, parameter: string): string {
  const elements = text.split(':').length;
  if (elements < 6)
    throw invalidParameter(parameter, `An ARN must have at least 6 elements, not ${elements}`);
  const arn = parseArn(text);
  if (arn?.service !== 'sns') throw invalidParameter(parameter);
  return arn.resource;
}
