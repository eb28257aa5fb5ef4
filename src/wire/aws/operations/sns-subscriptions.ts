/** The operations of SNS on subscriptions. */
export const snsSubscriptions = {
  Subscribe: {
    input: {
      TopicArn: 'string!',
      Protocol: 'string!',
      Endpoint: 'string',
      Attributes: { map: 'string', key: 'key', value: 'value' },
      ReturnSubscriptionArn: 'boolean',
    },
    output: { SubscriptionArn: 'string' },
  },
  ConfirmSubscription: {
    input: { TopicArn: 'string!', Token: 'string!', AuthenticateOnUnsubscribe: 'string' },
    output: { SubscriptionArn: 'string' },
  },
  Unsubscribe: { input: { SubscriptionArn: 'string!' }, output: {} },
  ListSubscriptions: {
    input: { NextToken: 'string' },
    output: { Subscriptions: { list: 'Subscription' }, NextToken: 'string' },
  },
  ListSubscriptionsByTopic: {
    input: { TopicArn: 'string!', NextToken: 'string' },
    output: { Subscriptions: { list: 'Subscription' }, NextToken: 'string' },
  },
  GetSubscriptionAttributes: {
    input: { SubscriptionArn: 'string!' },
    output: { Attributes: { map: 'string', key: 'key', value: 'value' } },
  },
  SetSubscriptionAttributes: {
    input: { SubscriptionArn: 'string!', AttributeName: 'string!', AttributeValue: 'string' },
    output: {},
  },
} as const;
