/** The operations of SQS on queues: their life, attributes, tags and permissions. */
export const sqsQueues = {
  CreateQueue: {
    input: {
      QueueName: 'string!',
      Attributes: { map: 'string', as: 'Attribute', key: 'Name', value: 'Value' },
      // With a lower-case t in JSON.
      tags: { map: 'string', as: 'Tag', key: 'Key', value: 'Value' },
    },
    output: { QueueUrl: 'string' },
  },
  DeleteQueue: { input: { QueueUrl: 'string!' }, output: {} },
  GetQueueUrl: {
    input: { QueueName: 'string!', QueueOwnerAWSAccountId: 'string' },
    output: { QueueUrl: 'string' },
  },
  ListQueues: {
    input: { QueueNamePrefix: 'string', NextToken: 'string', MaxResults: 'integer' },
    output: { QueueUrls: { list: 'string', as: 'QueueUrl' }, NextToken: 'string' },
  },
  ListDeadLetterSourceQueues: {
    input: { QueueUrl: 'string!', NextToken: 'string', MaxResults: 'integer' },
    // With a lower-case q in JSON.
    output: { queueUrls: { list: 'string', as: 'QueueUrl' }, NextToken: 'string' },
  },
  GetQueueAttributes: {
    input: { QueueUrl: 'string!', AttributeNames: { list: 'string', as: 'AttributeName' } },
    output: { Attributes: { map: 'string', as: 'Attribute', key: 'Name', value: 'Value' } },
  },
  SetQueueAttributes: {
    input: {
      QueueUrl: 'string!',
      Attributes: { map: 'string', as: 'Attribute', key: 'Name', value: 'Value', required: true },
    },
    output: {},
  },
  PurgeQueue: { input: { QueueUrl: 'string!' }, output: {} },
  TagQueue: {
    input: {
      QueueUrl: 'string!',
      Tags: { map: 'string', as: 'Tag', key: 'Key', value: 'Value', required: true },
    },
    output: {},
  },
  UntagQueue: {
    input: { QueueUrl: 'string!', TagKeys: { list: 'string', as: 'TagKey', required: true } },
    output: {},
  },
  ListQueueTags: {
    input: { QueueUrl: 'string!' },
    output: { Tags: { map: 'string', as: 'Tag', key: 'Key', value: 'Value' } },
  },
  AddPermission: {
    input: {
      QueueUrl: 'string!',
      Label: 'string!',
      AWSAccountIds: { list: 'string', as: 'AWSAccountId', required: true },
      Actions: { list: 'string', as: 'ActionName', required: true },
    },
    output: {},
  },
  RemovePermission: { input: { QueueUrl: 'string!', Label: 'string!' }, output: {} },
} as const;
