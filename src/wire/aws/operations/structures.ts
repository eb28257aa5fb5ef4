/** The structures that are elements of lists and maps. */
export const structures = {
  /**
   * An attribute of a message. `DataType` is `String`, `Number` or `Binary`, and may have a label behind a
   * dot.
   */
  MessageAttributeValue: {
    DataType: 'string!',
    StringValue: 'string',
    BinaryValue: 'blob',
    // "Not implemented. Reserved for future use."
    StringListValues: { list: 'string', as: 'StringListValue' },
    BinaryListValues: { list: 'blob', as: 'BinaryListValue' },
  },
  Message: {
    MessageId: 'string',
    ReceiptHandle: 'string',
    MD5OfBody: 'string',
    Body: 'string',
    Attributes: { map: 'string', as: 'Attribute', key: 'Name', value: 'Value' },
    MD5OfMessageAttributes: 'string',
    MessageAttributes: {
      map: 'MessageAttributeValue',
      as: 'MessageAttribute',
      key: 'Name',
      value: 'Value',
    },
  },
  SendMessageBatchRequestEntry: {
    Id: 'string!',
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
  SendMessageBatchResultEntry: {
    Id: 'string!',
    MessageId: 'string!',
    MD5OfMessageBody: 'string!',
    MD5OfMessageAttributes: 'string',
    MD5OfMessageSystemAttributes: 'string',
    SequenceNumber: 'string',
  },
  DeleteMessageBatchRequestEntry: { Id: 'string!', ReceiptHandle: 'string!' },
  ChangeMessageVisibilityBatchRequestEntry: {
    Id: 'string!',
    ReceiptHandle: 'string!',
    VisibilityTimeout: 'integer',
  },
  /** What is known of an entry of a batch that was done: its id. */
  BatchResultEntry: { Id: 'string!' },
  BatchResultErrorEntry: {
    Id: 'string!',
    SenderFault: 'boolean!',
    Code: 'string!',
    Message: 'string',
  },
  ListMessageMoveTasksResultEntry: {
    TaskHandle: 'string',
    Status: 'string',
    SourceArn: 'string',
    DestinationArn: 'string',
    MaxNumberOfMessagesPerSecond: 'integer',
    ApproximateNumberOfMessagesMoved: 'long',
    ApproximateNumberOfMessagesToMove: 'long',
    FailureReason: 'string',
    /** In milliseconds. */
    StartedTimestamp: 'long',
  },
  /** The value may be empty. */
  Tag: { Key: 'string!', Value: 'string' },
  Topic: { TopicArn: 'string' },
  Subscription: {
    SubscriptionArn: 'string',
    Owner: 'string',
    Protocol: 'string',
    Endpoint: 'string',
    TopicArn: 'string',
  },
  PublishBatchRequestEntry: {
    Id: 'string!',
    Message: 'string!',
    Subject: 'string',
    MessageStructure: 'string',
    MessageAttributes: { map: 'SnsMessageAttributeValue', key: 'Name', value: 'Value' },
    MessageDeduplicationId: 'string',
    MessageGroupId: 'string',
  },
  PublishBatchResultEntry: { Id: 'string', MessageId: 'string', SequenceNumber: 'string' },
  /** As that of SQS, without lists. */
  SnsMessageAttributeValue: { DataType: 'string!', StringValue: 'string', BinaryValue: 'blob' },
} as const;
