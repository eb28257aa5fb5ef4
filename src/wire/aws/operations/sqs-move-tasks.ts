/** The operations of SQS on tasks that move messages from a dead-letter queue back. */
export const sqsMoveTasks = {
  StartMessageMoveTask: {
    input: { SourceArn: 'string!', DestinationArn: 'string', MaxNumberOfMessagesPerSecond: 'integer' },
    output: { TaskHandle: 'string' },
  },
  CancelMessageMoveTask: {
    input: { TaskHandle: 'string!' },
    output: { ApproximateNumberOfMessagesMoved: 'long' },
  },
  ListMessageMoveTasks: {
    input: { SourceArn: 'string!', MaxResults: 'integer' },
    output: {
      Results: { list: 'ListMessageMoveTasksResultEntry', as: 'ListMessageMoveTasksResultEntry' },
    },
  },
} as const;
