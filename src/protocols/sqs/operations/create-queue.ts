import { checkTags } from '../tags.ts';
import type { Handler } from './handler.ts';
import { queueUrl } from '../queue-address.ts';

const none: ReadonlyMap<string, string> = new Map();

export const createQueue: Handler<'CreateQueue'> = async (
  { queues, waits },
  caller,
  { QueueName: name, Attributes: attributes = none, tags = none },
) => {
  checkTags(tags);
  waits.checkCreation(name);
  const queue = await queues.create(name, attributes, tags);
  return { QueueUrl: queueUrl(caller, queue.name) };
};
