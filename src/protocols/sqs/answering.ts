import type { Group, Receipt } from '../../broker/index.ts';
import { AwsError } from '../../wire/aws/index.ts';
import { invalidParameter } from './errors.ts';
import { sqsLimits } from './limits.ts';
import type { Queue } from './queue.ts';
import type { ReadHandle } from './receipt-handle.ts';
import type { Sqs } from './sqs.ts';

// What a receipt handle may still do. A handle is current until its message is deleted or received again, and
// in flight until its visibility timeout is over.

/** Reads a handle of the queue. Throws ReceiptHandleIsInvalid for a text that is none. */
function readHandle({ handles }: Sqs, queue: Queue, text: string): ReadHandle {
  const handle = handles.read(text);
  if (!handle || handle.receipt.group.topic !== queue.topic)
    throw new AwsError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${text.slice(0, 1024)}" is not a valid receipt handle.`,
    );
  return handle;
}

function isInFlight({ group, partition, offset, isCurrent }: Receipt): boolean {
  return isCurrent && (group as Group).holds(partition, offset);
}

/**
 * Deletes a message, in the open commit. In a standard queue an old handle deletes nothing and is no error.
 * In a FIFO queue the handle must not have expired. Throws an AwsError.
 */
export function deleteMessage(sqs: Sqs, queue: Queue, handle: string): void {
  const { receipt } = readHandle(sqs, queue, handle);
  if (queue.isFifo && !isInFlight(receipt) && !isDone(receipt))
    throw invalidParameter('ReceiptHandle', handle, 'The receipt handle has expired.');
  receipt.ack();
}

/** Whether the message was deleted already. */
function isDone({ group, partition, offset }: Receipt): boolean {
  return (group as Group).isDone(partition, offset);
}

/**
 * Sets the visibility timeout of a message from now on, in the open commit; 0 makes it visible at once.
 * Throws an AwsError.
 */
export function changeVisibility(sqs: Sqs, queue: Queue, handle: string, seconds: number): void {
  const { visibilityMax } = sqsLimits;
  if (seconds < 0 || seconds > visibilityMax)
    throw invalidParameter(
      'VisibilityTimeout',
      seconds,
      `VisibilityTimeout must be an integer between 0 and ${visibilityMax}.`,
    );
  const { receipt, receivedMs } = readHandle(sqs, queue, handle);
  if (isDone(receipt))
    throw invalidParameter(
      'ReceiptHandle',
      handle,
      'Message does not exist or is not available for visibility timeout change.',
    );
  if (!isInFlight(receipt))
    throw new AwsError('MessageNotInflight', 'The specified message is not in flight.');
  const totalMs = sqs.broker.clock.now() - receivedMs + seconds * 1000;
  if (totalMs > visibilityMax * 1000)
    throw invalidParameter(
      'VisibilityTimeout',
      seconds,
      `Total VisibilityTimeout for the message is beyond the limit [${visibilityMax} seconds]`,
    );
  if (seconds === 0) receipt.nack(0);
  else receipt.setDeadline(seconds * 1000);
}
