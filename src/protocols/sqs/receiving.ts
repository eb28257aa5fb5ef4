import { Collector, Receipt, recordBytes, type CollectorEnd, type Delivery } from '../../broker/index.ts';
import { AwsError } from '../../wire/aws/index.ts';
import { sqsLimits } from './limits.ts';
import { ackWaitMsOf } from './queue.ts';
import { receivedMessage, type ReceiveContext, type ReceivedMessage } from './received-message.ts';

export interface ReceiveOptions {
  readonly messagesMax: number;
  /** Seconds. */
  readonly wait: number;
  /** Seconds. */
  readonly visibility: number;
  /** The name by which the client asks again if it does not get the answer. */
  readonly attemptId: string | undefined;
}

/**
 * Receives messages of a queue: at once those that there are, or, with a wait, as soon as there is one. If
 * the client leaves meanwhile, the messages go back to the queue. Throws OverLimit, and RequestThrottled if
 * too many receives wait.
 */
export async function receiveMessages(
  context: ReceiveContext,
  options: ReceiveOptions,
): Promise<readonly ReceivedMessage[]> {
  const { sqs, caller, queue, group } = context;
  const { broker } = sqs;
  const { messagesMax, wait, visibility, attemptId } = options;
  const again = attemptId === undefined ? undefined : await receiveAgain(context, attemptId, visibility);
  if (again) return again;
  if (wait === 0 && isOverLimit(context)) throw overLimit(group.config.maxInFlight);
  broker.budgets.check('consumers');
  const ackWaitMs = ackWaitMsOf(visibility);
  const messages: ReceivedMessage[] = [];
  const receipts: Receipt[] = [];
  let receivedMs: number | undefined = undefined;
  let stop = (): void => {};
  const end = await new Promise<CollectorEnd>((resolve) => {
    const collector = new Collector(
      broker.clock,
      {
        messagesMax,
        bytesMax: sqsLimits.receivedBytesMax,
        takesAnyFirst: true,
        // The deadline of the group needs not be stored with each delivery.
        ...(ackWaitMs !== group.config.ackWaitMs && { ackWaitMs }),
        ...(wait === 0 ? { idle: 'answer' as const } : { messagesMin: 1, waitMs: wait * 1000 }),
        label: 'ReceiveMessage',
      },
      {
        collected: (delivery: Delivery) => {
          const receipt = Receipt.of(group, delivery);
          receivedMs ??= broker.clock.now();
          const handle = sqs.handles.write(receipt, receivedMs);
          // With a timeout of 0 a message may come again while the receive still gathers: the last one
          // counts.
          const again = receipts.findIndex((one) => isSameMessage(one, receipt));
          const at = again < 0 ? receipts.length : again;
          receipts[at] = receipt;
          messages[at] = receivedMessage(context, delivery, handle);
          return recordBytes(delivery.record);
        },
        completed: resolve,
      },
    );
    if (wait > 0) {
      const { signal } = caller;
      const leave = (): void => collector.end();
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave);
      stop = () => signal.removeEventListener('abort', leave);
    }
    collector.attach(group);
  });
  stop();
  if (end === 'left') for (const receipt of receipts) receipt.release();
  if (end === 'group-deleted' || end === 'topic-deleted') throw new AwsError('QueueDoesNotExist');
  if (queue.topic.isDeleted) throw new AwsError('QueueDoesNotExist');
  if (attemptId !== undefined && end !== 'left' && receivedMs !== undefined)
    sqs.attempts.received(group, attemptId, receipts, receivedMs);
  return messages;
}

/**
 * The same messages as an earlier attempt of this name has received, with their timeouts from now on;
 * undefined if there was none, or if anything has happened to them. Resolves when that is on disk.
 */
async function receiveAgain(
  context: ReceiveContext,
  attemptId: string,
  visibility: number,
): Promise<readonly ReceivedMessage[] | undefined> {
  const { sqs, queue, group } = context;
  const attempt = sqs.attempts.find(group, attemptId, sqs.broker.clock.now());
  if (!attempt) return undefined;
  for (const receipt of attempt.receipts) receipt.setDeadline(ackWaitMsOf(visibility));
  const messages = await Promise.all(
    attempt.receipts.map(async (receipt) => {
      const { partition, offset, delivery } = receipt;
      const record = await queue.topic.partitions.at(partition)?.get(offset);
      const handle = sqs.handles.write(receipt, attempt.atMs);
      return record && receivedMessage(context, { partition, record, deliveries: delivery }, handle);
    }),
  );
  await sqs.committed();
  return messages.filter((message) => message !== undefined);
}

function isSameMessage(one: Receipt, other: Receipt): boolean {
  return one.partition === other.partition && one.offset === other.offset;
}

/** SQS says so on standard queues only, and only to receives that do not wait. */
function isOverLimit({ queue, group }: ReceiveContext): boolean {
  const { maxInFlight = Infinity } = group.config;
  return !queue.isFifo && group.info().inFlight >= maxInFlight;
}

function overLimit(inFlightMax: number | undefined): AwsError {
  return new AwsError(
    'OverLimit',
    `Too many messages are in flight (${inFlightMax} at most): delete messages, or wait until they are visible again.`,
  );
}
