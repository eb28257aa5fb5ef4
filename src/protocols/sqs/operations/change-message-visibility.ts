import { changeVisibility } from '../answering.ts';
import { checkBatch, eachEntry } from '../batch.ts';
import { type Handler, nothing } from './handler.ts';

export const changeMessageVisibility: Handler<'ChangeMessageVisibility'> = async (
  sqs,
  _caller,
  { QueueUrl: url, ReceiptHandle: handle, VisibilityTimeout: seconds },
) => {
  changeVisibility(sqs, sqs.queues.byUrl(url), handle, seconds);
  await sqs.committed();
  return nothing;
};

export const changeMessageVisibilityBatch: Handler<'ChangeMessageVisibilityBatch'> = async (
  sqs,
  _caller,
  { QueueUrl: url, Entries: entries },
) => {
  const queue = sqs.queues.byUrl(url);
  checkBatch(entries);
  const result = eachEntry(entries, ({ ReceiptHandle: handle, VisibilityTimeout: seconds = 0 }) =>
    changeVisibility(sqs, queue, handle, seconds),
  );
  await sqs.committed();
  return result;
};
