import { AwsError, type SnsOutput } from '../../../wire/aws/index.ts';
import { topicInArn } from '../arns.ts';
import { invalidParameter, refusalOf } from '../errors.ts';
import { checkNotification, type Notification } from '../message.ts';
import { publish as publishTo } from '../publishing.ts';
import type { Handler } from './handler.ts';

export const publish: Handler<'Publish'> = (sns, caller, input) => {
  const { TopicArn: topicArn, TargetArn: targetArn, PhoneNumber: phone } = input;
  if (phone !== undefined) throw invalidParameter('PhoneNumber', 'This server delivers to queues only');
  const arn = topicArn ?? targetArn;
  if (arn === undefined) throw invalidParameter('TopicArn or TargetArn', 'no value for required parameter');
  const topic = sns.topics.byName(topicInArn(arn, topicArn === undefined ? 'TargetArn' : 'TopicArn'));
  return publishTo(sns, topic, caller, checkNotification(sns.limits, topic, input));
};

type Batch = SnsOutput<'PublishBatch'>;
type Successful = NonNullable<Batch['Successful']>[number];
type Failed = NonNullable<Batch['Failed']>[number];

/** Each entry is published for itself, all of them in one commit. */
export const publishBatch: Handler<'PublishBatch'> = async (sns, caller, input) => {
  const { PublishBatchRequestEntries: entries } = input;
  const topic = sns.topics.byName(topicInArn(input.TopicArn));
  const { batchEntriesMax, messageBytesMax } = sns.limits;
  if (entries.length > batchEntriesMax)
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      'The batch request contains more entries than permissible.',
    );
  if (entries.some(({ Id: id }) => !/^[A-Za-z0-9_-]{1,80}$/.test(id)))
    throw new AwsError(
      'InvalidBatchEntryId',
      "The Id of a batch entry in a batch request doesn't abide by the specification.",
    );
  if (new Set(entries.map(({ Id: id }) => id)).size < entries.length)
    throw new AwsError(
      'BatchEntryIdsNotDistinct',
      'Two or more batch entries in the request have the same Id.',
    );
  const Failed: Failed[] = [];
  const checked: { readonly id: string; readonly message: Notification }[] = [];
  let bytes = 0;
  for (const entry of entries) {
    try {
      const message = checkNotification(sns.limits, topic, entry);
      bytes += message.bytes;
      checked.push({ id: entry.Id, message });
    } catch (error) {
      Failed.push(failedEntry(entry.Id, error));
    }
  }
  if (bytes > messageBytesMax)
    throw new AwsError(
      'BatchRequestTooLong',
      'The length of all the messages put together is more than the limit.',
    );
  const results = await Promise.all(
    checked.map(({ id, message }) =>
      publishTo(sns, topic, caller, message).then(
        (published): Successful => ({ Id: id, ...published }),
        (error: unknown) => {
          Failed.push(failedEntry(id, error));
          return undefined;
        },
      ),
    ),
  );
  return { Successful: results.filter((one) => one !== undefined), Failed };
};

/** Throws an error that nobody has foreseen. */
function failedEntry(id: string, error: unknown): Failed {
  const refusal = refusalOf(error);
  if (!refusal) throw error;
  return {
    Id: id,
    Code: refusal.code('sns'),
    SenderFault: refusal.fault === 'Sender',
    Message: refusal.message,
  };
}
