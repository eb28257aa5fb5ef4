import { deleteMessage as remove } from '../answering.ts';
import { checkBatch, eachEntry } from '../batch.ts';
import { type Handler, nothing } from './handler.ts';

export const deleteMessage: Handler<'DeleteMessage'> = async (
  sqs,
  _caller,
  { QueueUrl: url, ReceiptHandle: handle },
) => {
  remove(sqs, sqs.queues.byUrl(url), handle);
  await sqs.committed();
  return nothing;
};

export const deleteMessageBatch: Handler<'DeleteMessageBatch'> = async (
  sqs,
  _caller,
  { QueueUrl: url, Entries: entries },
) => {
  const queue = sqs.queues.byUrl(url);
  checkBatch(entries);
  const result = eachEntry(entries, ({ ReceiptHandle: handle }) => remove(sqs, queue, handle));
  await sqs.committed();
  return result;
};
