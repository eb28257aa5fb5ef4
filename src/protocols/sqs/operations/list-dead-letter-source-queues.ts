import { queueUrl } from '../queue-address.ts';
import { deadLetterQueueOf } from '../redrive-policy.ts';
import type { Handler } from './handler.ts';
import { maySee, pageOf } from './list-queues.ts';

export const listDeadLetterSourceQueues: Handler<'ListDeadLetterSourceQueues'> = (
  { queues },
  caller,
  { QueueUrl: url, NextToken: token, MaxResults: max },
) => {
  const { name } = queues.byUrl(url);
  const sources = queues.all().filter((queue) => deadLetterQueueOf(queue) === name);
  const seen = sources.map((queue) => queue.name).filter((one) => maySee(queues, caller, one));
  const { names, next } = pageOf(seen.sort(), token, max);
  return { queueUrls: names.map((source) => queueUrl(caller, source)), NextToken: next };
};
