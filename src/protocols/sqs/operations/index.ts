import { AwsError } from '../../../wire/aws/index.ts';
import { changeMessageVisibility, changeMessageVisibilityBatch } from './change-message-visibility.ts';
import { createQueue } from './create-queue.ts';
import { deleteMessage, deleteMessageBatch } from './delete-message.ts';
import { deleteQueue } from './delete-queue.ts';
import { getQueueUrl } from './get-queue-url.ts';
import type { Handlers } from './handler.ts';
import { listQueues } from './list-queues.ts';
import { purgeQueue } from './purge-queue.ts';
import { getQueueAttributes, setQueueAttributes } from './queue-attributes.ts';
import { listQueueTags, tagQueue, untagQueue } from './queue-tags.ts';
import { receiveMessage } from './receive-message.ts';
import { sendMessage, sendMessageBatch } from './send-message.ts';

/** The operations of SQS, as the wire names them. */
export const handlers: Handlers = {
  AddPermission: notYet,
  CancelMessageMoveTask: notYet,
  ChangeMessageVisibility: changeMessageVisibility,
  ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
  CreateQueue: createQueue,
  DeleteMessage: deleteMessage,
  DeleteMessageBatch: deleteMessageBatch,
  DeleteQueue: deleteQueue,
  GetQueueAttributes: getQueueAttributes,
  GetQueueUrl: getQueueUrl,
  ListDeadLetterSourceQueues: notYet,
  ListMessageMoveTasks: notYet,
  ListQueueTags: listQueueTags,
  ListQueues: listQueues,
  PurgeQueue: purgeQueue,
  ReceiveMessage: receiveMessage,
  RemovePermission: notYet,
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  SetQueueAttributes: setQueueAttributes,
  StartMessageMoveTask: notYet,
  TagQueue: tagQueue,
  UntagQueue: untagQueue,
};

function notYet(): never {
  throw new AwsError('UnsupportedOperation', 'This operation is not supported.');
}
