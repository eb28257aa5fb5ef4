/** The operations of SQS on messages, one at a time and in batches. */
export const sqsMessages = {
  SendMessage: {
    input: {
      QueueUrl: 'string!',
      MessageBody: 'string!',
      DelaySeconds: 'integer',
      MessageAttributes: {
        map: 'MessageAttributeValue',
        as: 'MessageAttribute',
        key: 'Name',
        value: 'Value',
      },
      MessageSystemAttributes: {
        map: 'MessageAttributeValue',
        as: 'MessageSystemAttribute',
        key: 'Name',
        value: 'Value',
      },
      MessageDeduplicationId: 'string',
      MessageGroupId: 'string',
    },
    output: {
      MD5OfMessageBody: 'string',
      MD5OfMessageAttributes: 'string',
      MD5OfMessageSystemAttributes: 'string',
      MessageId: 'string',
      SequenceNumber: 'string',
    },
  },
  SendMessageBatch: {
    input: {
      QueueUrl: 'string!',
      Entries: {
        list: 'SendMessageBatchRequestEntry',
        as: 'SendMessageBatchRequestEntry',
        required: 'entries',
      },
    },
    output: {
      Successful: { list: 'SendMessageBatchResultEntry', as: 'SendMessageBatchResultEntry' },
      Failed: { list: 'BatchResultErrorEntry', as: 'BatchResultErrorEntry' },
    },
  },
  ReceiveMessage: {
    input: {
      QueueUrl: 'string!',
      // Deprecated: the same as MessageSystemAttributeNames.
      AttributeNames: { list: 'string', as: 'AttributeName' },
      MessageSystemAttributeNames: { list: 'string', as: 'MessageSystemAttributeName' },
      MessageAttributeNames: { list: 'string', as: 'MessageAttributeName' },
      MaxNumberOfMessages: 'integer',
      VisibilityTimeout: 'integer',
      WaitTimeSeconds: 'integer',
      ReceiveRequestAttemptId: 'string',
    },
    output: { Messages: { list: 'Message', as: 'Message' } },
  },
  DeleteMessage: { input: { QueueUrl: 'string!', ReceiptHandle: 'string!' }, output: {} },
  DeleteMessageBatch: {
    input: {
      QueueUrl: 'string!',
      Entries: {
        list: 'DeleteMessageBatchRequestEntry',
        as: 'DeleteMessageBatchRequestEntry',
        required: 'entries',
      },
    },
    output: {
      Successful: { list: 'BatchResultEntry', as: 'DeleteMessageBatchResultEntry' },
      Failed: { list: 'BatchResultErrorEntry', as: 'BatchResultErrorEntry' },
    },
  },
  ChangeMessageVisibility: {
    input: { QueueUrl: 'string!', ReceiptHandle: 'string!', VisibilityTimeout: 'integer!' },
    output: {},
  },
  ChangeMessageVisibilityBatch: {
    input: {
      QueueUrl: 'string!',
      Entries: {
        list: 'ChangeMessageVisibilityBatchRequestEntry',
        as: 'ChangeMessageVisibilityBatchRequestEntry',
        required: 'entries',
      },
    },
    output: {
      Successful: { list: 'BatchResultEntry', as: 'ChangeMessageVisibilityBatchResultEntry' },
      Failed: { list: 'BatchResultErrorEntry', as: 'BatchResultErrorEntry' },
    },
  },
} as const;
