import { queueUrl } from '../queue-address.ts';
import type { Handler } from './handler.ts';

export const getQueueUrl: Handler<'GetQueueUrl'> = (
  { queues },
  caller,
  { QueueName: name, QueueOwnerAWSAccountId: account = caller.account },
) => ({ QueueUrl: queueUrl({ ...caller, account }, queues.byName(name).name) });
