import { AwsError } from '../../../wire/aws/index.ts';
import { invalidParameter } from '../errors.ts';
import { figuresOf } from '../queue-figures.ts';
import { nameInArn, queueArn } from '../queue-address.ts';
import { Queue } from '../queue.ts';
import { deadLetterQueueOf } from '../redrive-policy.ts';
import type { Sqs } from '../sqs.ts';
import type { Handler } from './handler.ts';

const rateMax = 500;
const listedMax = 10;

export const startMessageMoveTask: Handler<'StartMessageMoveTask'> = async (
  sqs,
  { access },
  { SourceArn: sourceArn, DestinationArn: destinationArn, MaxNumberOfMessagesPerSecond: rate },
) => {
  const { broker, queues, moves } = sqs;
  const source = queueOfArn(sqs, 'SourceArn', sourceArn);
  const sources = await queues.names((queue) => deadLetterQueueOf(queue) === source.name);
  if (sources.length === 0)
    throw new AwsError('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.');
  const destination =
    destinationArn === undefined ? undefined : queueOfArn(sqs, 'DestinationArn', destinationArn);
  if (rate !== undefined && (rate < 1 || rate > rateMax))
    throw invalidParameter('MaxNumberOfMessagesPerSecond', rate, `Must be between 1 and ${rateMax}.`);
  const group = await queues.group(source);
  const { handle } = moves.start(
    {
      broker,
      source: source.topic,
      group,
      destination: destination?.topic,
      rate,
      mayGoTo: (topic) => access.mayPublish(topic),
    },
    figuresOf(broker, source).visible,
  );
  return { TaskHandle: handle };
};

export const cancelMessageMoveTask: Handler<'CancelMessageMoveTask'> = (
  { moves },
  _caller,
  { TaskHandle: handle },
) => {
  const task = moves.find(handle);
  if (task.status !== 'RUNNING')
    throw new AwsError('UnsupportedOperation', 'Only a task that is running can be cancelled.');
  task.cancel();
  return { ApproximateNumberOfMessagesMoved: task.moved };
};

export const listMessageMoveTasks: Handler<'ListMessageMoveTasks'> = (
  sqs,
  caller,
  { SourceArn: sourceArn, MaxResults: max = 1 },
) => {
  const source = queueOfArn(sqs, 'SourceArn', sourceArn);
  if (max < 1 || max > listedMax)
    throw invalidParameter('MaxResults', max, `Must be between 1 and ${listedMax}, if provided.`);
  const Results = sqs.moves
    .of(source.topic)
    .slice(0, max)
    .map(({ handle, task }) => ({
      TaskHandle: task.status === 'RUNNING' ? handle : undefined,
      Status: task.status,
      SourceArn: queueArn(caller, source.name),
      DestinationArn: task.options.destination && queueArn(caller, new Queue(task.options.destination).name),
      MaxNumberOfMessagesPerSecond: task.options.rate,
      ApproximateNumberOfMessagesMoved: task.moved,
      ApproximateNumberOfMessagesToMove: task.total,
      FailureReason: task.failure,
      StartedTimestamp: task.startedMs,
    }));
  return { Results };
};

/** Throws an AwsError for a text that is no ARN of a queue, and if the queue does not exist. */
function queueOfArn({ queues }: Sqs, parameter: 'SourceArn' | 'DestinationArn', arn: string): Queue {
  if (nameInArn(arn) === undefined)
    throw new AwsError(
      'InvalidParameterValue',
      `You must use this format to specify the ${parameter}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>`,
    );
  const queue = queues.byArn(arn);
  if (queue) return queue;
  throw new AwsError(
    'ResourceNotFoundException',
    `The resource that you specified for the ${parameter} parameter doesn't exist.`,
  );
}
