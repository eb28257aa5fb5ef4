import { queueUrl } from '../queue-address.ts';
import { deadLetterQueueOf } from '../redrive-policy.ts';
import type { Handler } from './handler.ts';
import { maySee, pageOf } from './list-queues.ts';

export const listDeadLetterSourceQueues: Handler<'ListDeadLetterSourceQueues'> = async (
  { queues },
  caller,
  { QueueUrl: url, NextToken: token, MaxResults: max },
) => {
  const { name } = queues.byUrl(url);
  const sources = await queues.names((queue) => deadLetterQueueOf(queue) === name && maySee(caller, queue));
  const { names, next } = pageOf(sources, token, max);
  return { queueUrls: names.map((source) => queueUrl(caller, source)), NextToken: next };
};
