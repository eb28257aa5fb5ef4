import { AwsError, parsePolicy, PolicyError } from '../../wire/aws/index.ts';
import { invalidParameter } from './errors.ts';
import type { SnsTopic } from './sns-topic.ts';
import type { Texts } from './topic-store.ts';

/** Whether a value fits an attribute. */
type Rule = (value: string) => boolean;

const any: Rule = () => true;
const bool: Rule = (value) => value === 'true' || value === 'false';
const json: Rule = (value) => {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null;
  } catch {
    return false;
  }
};

/** The feedback of deliveries, which are roles and rates that mean nothing here, is kept as it comes. */
const feedback = /^(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)$/;

/** The attributes of topics that clients may set. */
const rules: ReadonlyMap<string, Rule> = new Map([
  ['DisplayName', (value) => value.length <= 100],
  ['Policy', any], // its error says more
  ['DeliveryPolicy', json],
  ['KmsMasterKeyId', any],
  ['SignatureVersion', (value) => value === '1' || value === '2'],
  ['TracingConfig', (value) => value === 'PassThrough' || value === 'Active'],
  ['FifoTopic', bool],
  ['ContentBasedDeduplication', bool],
  ['FifoThroughputScope', (value) => value === 'Topic' || value === 'MessageGroup'],
]);

const ofFifo: ReadonlySet<string> = new Set(['ContentBasedDeduplication', 'FifoThroughputScope']);

/** Throws InvalidParameter for an attribute that a topic cannot have. */
export function checkTopicAttribute(name: string, value: string, isFifo: boolean): void {
  if (feedback.test(name)) return;
  const fits = rules.get(name);
  if (!fits || (ofFifo.has(name) && !isFifo)) throw invalidParameter('AttributeName');
  if (value === '' && name !== 'FifoTopic') return; // it is taken away
  if (name === 'Policy') checkPolicy(value);
  if (!fits(value)) throw invalidParameter('AttributeValue', `${name} has a value that it cannot have`);
}

function checkPolicy(text: string): void {
  try {
    parsePolicy(text);
  } catch (error) {
    if (error instanceof PolicyError)
      throw new AwsError('InvalidParameter', `Invalid parameter: Policy Error: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}

/** Without those that are empty. */
export function withAttribute(attributes: Texts, name: string, value: string): Texts {
  const { [name]: _, ...others } = attributes;
  return value === '' ? others : { ...others, [name]: value };
}

/** All attributes of a topic, as `GetTopicAttributes` has them. */
export function shownAttributes(topic: SnsTopic, arn: string, account: string): Map<string, string> {
  const shown = new Map([
    ['TopicArn', arn],
    ['Owner', account],
    ['Policy', defaultPolicy(arn, account)],
    ['DisplayName', ''],
    ['SubscriptionsConfirmed', String(topic.subscriptions.size)],
    ['SubscriptionsPending', '0'],
    ['SubscriptionsDeleted', '0'],
    ['EffectiveDeliveryPolicy', defaultDeliveryPolicy],
  ]);
  if (topic.isFifo) shown.set('ContentBasedDeduplication', 'false').set('FifoThroughputScope', 'Topic');
  for (const [name, value] of Object.entries(topic.attributes)) shown.set(name, value);
  return shown;
}

const defaultDeliveryPolicy: string = JSON.stringify({
  http: {
    defaultHealthyRetryPolicy: {
      minDelayTarget: 20,
      maxDelayTarget: 20,
      numRetries: 3,
      numMaxDelayRetries: 0,
      numNoDelayRetries: 0,
      numMinDelayRetries: 0,
      backoffFunction: 'linear',
    },
    disableSubscriptionOverrides: false,
    defaultRequestPolicy: { headerContentType: 'text/plain; charset=UTF-8' },
  },
});

/** A topic without a policy belongs to its account. */
export function defaultPolicy(arn: string, account: string): string {
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'SNS:GetTopicAttributes',
          'SNS:SetTopicAttributes',
          'SNS:AddPermission',
          'SNS:RemovePermission',
          'SNS:DeleteTopic',
          'SNS:Subscribe',
          'SNS:ListSubscriptionsByTopic',
          'SNS:Publish',
        ],
        Resource: arn,
        Condition: { StringEquals: { 'AWS:SourceOwner': account } },
      },
    ],
  });
}
