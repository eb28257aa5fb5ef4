import { invalidParameter } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import { checkId } from '../message-checks.ts';
import { receiveMessages } from '../receiving.ts';
import { wantedOf } from '../wanted-attributes.ts';
import type { Handler } from './handler.ts';

export const receiveMessage: Handler<'ReceiveMessage'> = async (sqs, caller, input) => {
  const queue = sqs.queues.byUrl(input.QueueUrl);
  const {
    MaxNumberOfMessages: messagesMax = 1,
    WaitTimeSeconds: wait = queue.numberOf('ReceiveMessageWaitTimeSeconds'),
    VisibilityTimeout: visibility = queue.numberOf('VisibilityTimeout'),
  } = input;
  const { receivedMax, waitMax, visibilityMax } = sqsLimits;
  if (messagesMax < 1 || messagesMax > receivedMax)
    throw invalidParameter(
      'MaxNumberOfMessages',
      messagesMax,
      `Must be between 1 and ${receivedMax}, if provided.`,
    );
  if (wait < 0 || wait > waitMax)
    throw invalidParameter('WaitTimeSeconds', wait, `Must be >= 0 and <= ${waitMax}, if provided.`);
  if (visibility < 0 || visibility > visibilityMax)
    throw invalidParameter(
      'VisibilityTimeout',
      visibility,
      `Must be >= 0 and <= ${visibilityMax}, if provided.`,
    );
  checkId('ReceiveRequestAttemptId', input.ReceiveRequestAttemptId);
  const wanted = wantedOf(
    input.AttributeNames,
    input.MessageSystemAttributeNames,
    input.MessageAttributeNames,
  );
  const group = await sqs.queues.group(queue);
  // Attempts have names in FIFO queues only.
  const attemptId = queue.isFifo ? input.ReceiveRequestAttemptId : undefined;
  const messages = await receiveMessages(
    { sqs, caller, queue, group, wanted },
    { messagesMax, wait, visibility, attemptId },
  );
  return { Messages: messages };
};
