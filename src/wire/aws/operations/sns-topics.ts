/** The operations of SNS on topics: their life, attributes, tags and permissions. */
export const snsTopics = {
  CreateTopic: {
    input: {
      Name: 'string!',
      Attributes: { map: 'string', key: 'key', value: 'value' },
      Tags: { list: 'Tag' },
      DataProtectionPolicy: 'string',
    },
    output: { TopicArn: 'string' },
  },
  DeleteTopic: { input: { TopicArn: 'string!' }, output: {} },
  ListTopics: {
    input: { NextToken: 'string' },
    output: { Topics: { list: 'Topic' }, NextToken: 'string' },
  },
  GetTopicAttributes: {
    input: { TopicArn: 'string!' },
    output: { Attributes: { map: 'string', key: 'key', value: 'value' } },
  },
  SetTopicAttributes: {
    input: { TopicArn: 'string!', AttributeName: 'string!', AttributeValue: 'string' },
    output: {},
  },
  TagResource: {
    input: { ResourceArn: 'string!', Tags: { list: 'Tag', required: true } },
    output: {},
  },
  UntagResource: {
    input: { ResourceArn: 'string!', TagKeys: { list: 'string', required: true } },
    output: {},
  },
  ListTagsForResource: { input: { ResourceArn: 'string!' }, output: { Tags: { list: 'Tag' } } },
  AddPermission: {
    input: {
      TopicArn: 'string!',
      Label: 'string!',
      AWSAccountId: { list: 'string', required: true },
      ActionName: { list: 'string', required: true },
    },
    output: {},
  },
  RemovePermission: { input: { TopicArn: 'string!', Label: 'string!' }, output: {} },
} as const;
