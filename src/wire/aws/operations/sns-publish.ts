/** The operations of SNS that publish. */
export const snsPublish = {
  Publish: {
    input: {
      Message: 'string!',
      TopicArn: 'string',
      TargetArn: 'string',
      PhoneNumber: 'string',
      Subject: 'string',
      MessageStructure: 'string',
      MessageAttributes: { map: 'SnsMessageAttributeValue', key: 'Name', value: 'Value' },
      MessageDeduplicationId: 'string',
      MessageGroupId: 'string',
    },
    output: { MessageId: 'string', SequenceNumber: 'string' },
  },
  PublishBatch: {
    input: {
      TopicArn: 'string!',
      PublishBatchRequestEntries: { list: 'PublishBatchRequestEntry', required: 'entries' },
    },
    output: {
      Successful: { list: 'PublishBatchResultEntry' },
      Failed: { list: 'BatchResultErrorEntry' },
    },
  },
} as const;
