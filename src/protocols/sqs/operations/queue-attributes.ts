import { checkAttributes, isSettable, settableNames, unknownAttribute } from '../attribute-rules.ts';
import { figuresOf } from '../queue-figures.ts';
import { queueArn } from '../queue-address.ts';
import { type Handler, nothing } from './handler.ts';

/** The attributes of a queue that SQS computes. */
const computed = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'QueueArn',
] as const;
type ComputedName = (typeof computed)[number];
const computedNames: ReadonlySet<string> = new Set(computed);

export const getQueueAttributes: Handler<'GetQueueAttributes'> = (
  { broker, queues },
  caller,
  { QueueUrl: url, AttributeNames: asked = [] },
) => {
  const queue = queues.byUrl(url);
  const names = asked.includes('All') ? [...settableNames, ...computed] : asked;
  const { topic, stored } = queue;
  const figures = figuresOf(broker, queue);
  const values: { readonly [name in ComputedName]: () => number | string } = {
    ApproximateNumberOfMessages: () => figures.visible,
    ApproximateNumberOfMessagesDelayed: () => figures.delayed,
    ApproximateNumberOfMessagesNotVisible: () => figures.notVisible,
    CreatedTimestamp: () => Math.floor(topic.createdMs / 1000),
    LastModifiedTimestamp: () => Math.floor(Math.max(topic.createdMs, stored.modifiedMs) / 1000),
    QueueArn: () => queueArn(caller, queue.name),
  };
  const attributes = new Map<string, string>();
  for (const name of names) {
    if (computedNames.has(name)) attributes.set(name, String(values[name as ComputedName]()));
    else if (!isSettable(name)) throw unknownAttribute(name);
    else {
      const value = queue.attribute(name);
      if (value !== undefined) attributes.set(name, value);
    }
  }
  return { Attributes: attributes };
};

export const setQueueAttributes: Handler<'SetQueueAttributes'> = async (
  { queues },
  _caller,
  { QueueUrl: url, Attributes: given },
) => {
  const queue = queues.byUrl(url);
  await queues.setAttributes(queue, checkAttributes(given, queue.isFifo));
  return nothing;
};
