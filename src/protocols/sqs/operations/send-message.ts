import { AwsError, type SqsOutput } from '../../../wire/aws/index.ts';
import { checkBatch, failedEntry, type FailedEntry } from '../batch.ts';
import { sqsLimits } from '../limits.ts';
import { messageBytes } from '../message-checks.ts';
import { checkFifoEntries, checkMessage, sendMessage as send } from '../sending.ts';
import type { Handler } from './handler.ts';

export const sendMessage: Handler<'SendMessage'> = (sqs, _caller, input) => {
  const queue = sqs.queues.byUrl(input.QueueUrl);
  return send(sqs, queue, checkMessage(queue, input, false));
};

type SentEntry = NonNullable<SqsOutput<'SendMessageBatch'>['Successful']>[number];

/** The messages are in one commit; each succeeds or fails by itself. */
export const sendMessageBatch: Handler<'SendMessageBatch'> = async (
  sqs,
  _caller,
  { QueueUrl: url, Entries: entries },
) => {
  const queue = sqs.queues.byUrl(url);
  checkBatch(entries);
  checkFifoEntries(queue, entries);
  checkSize(entries);
  const results = await Promise.all(
    entries.map(async (entry): Promise<SentEntry | FailedEntry> => {
      try {
        return { Id: entry.Id, ...(await send(sqs, queue, checkMessage(queue, entry, true))) };
      } catch (error) {
        return failedEntry(entry.Id, error);
      }
    }),
  );
  return {
    Successful: results.filter((result) => 'MessageId' in result),
    Failed: results.filter((result) => 'Code' in result),
  };
};

function checkSize(entries: readonly Parameters<typeof checkMessage>[1][]): void {
  let bytes = 0;
  for (const { MessageBody: body, MessageAttributes: attributes = new Map() } of entries)
    bytes += messageBytes(body, attributes);
  const { messageBytesMax } = sqsLimits;
  if (bytes > messageBytesMax)
    throw new AwsError(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${messageBytesMax} bytes. You have sent ${bytes} bytes.`,
    );
}
