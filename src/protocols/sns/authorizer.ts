import { AwsError, type SnsAction } from '../../wire/aws/index.ts';
import { deadLetterTarget, topicOf } from '../sqs/authorizer.ts';
import type { Caller } from '../sqs/caller.ts';
import { arnOfUser, policyVerdict } from '../sqs/policies.ts';
import { nameInArn } from '../sqs/queue-address.ts';
import type { TopicAction } from '../users/index.ts';
import { topicArn } from './arns.ts';
import type { Sns } from './sns.ts';

/**
 * What an operation needs on the topic that it names: a permission, which is given by the name of the topic,
 * or any of them to look at it. Undefined: it names none.
 */
const needs: { readonly [A in SnsAction]: TopicAction | 'any' | undefined } = {
  AddPermission: 'manage',
  ConfirmSubscription: 'manage',
  CreateTopic: 'manage',
  DeleteTopic: 'manage',
  GetSubscriptionAttributes: 'any',
  GetTopicAttributes: 'any',
  ListSubscriptions: undefined, // it lists what the caller may see, as ListTopics does
  ListSubscriptionsByTopic: 'any',
  ListTagsForResource: 'any',
  ListTopics: undefined,
  Publish: 'publish',
  PublishBatch: 'publish',
  RemovePermission: 'manage',
  SetSubscriptionAttributes: 'manage',
  SetTopicAttributes: 'manage',
  Subscribe: 'manage',
  TagResource: 'manage',
  Unsubscribe: 'manage',
  UntagResource: 'manage',
};

/** The members by which operations name topics and queues. */
interface Naming {
  readonly Name?: string;
  readonly TopicArn?: string;
  readonly TargetArn?: string;
  readonly ResourceArn?: string;
  readonly SubscriptionArn?: string;
  readonly Endpoint?: string;
  readonly Attributes?: ReadonlyMap<string, string>;
  readonly AttributeName?: string;
  readonly AttributeValue?: string;
}

/**
 * Throws AuthorizationError if the caller may not do an operation. Who subscribes a queue needs the
 * permission to send to it, because that is what the subscription does.
 */
export function authorize(sns: Sns, caller: Caller, action: SnsAction, input: Naming): void {
  if (caller.user === null) return;
  const need = needs[action];
  const name = topicIn(input);
  if (need !== undefined && name !== undefined) {
    const verdict = policyVerdict(sns.topics.get(name)?.attributes['Policy'], caller, {
      action: `SNS:${action.replace(/Batch$/, '')}`,
      resource: topicArn(caller, name),
      nowMs: sns.broker.clock.now(),
    });
    const { access } = caller;
    const may = need === 'any' ? access.maySee(name) : access.may(need, name);
    if (verdict === 'deny' || (verdict === 'none' && !may))
      throw denied(caller, action, topicArn(caller, name));
  }
  for (const arn of queuesIn(input)) {
    const queue = nameInArn(arn);
    if (queue !== undefined && !caller.access.mayPublish(topicOf(sns.sqs, queue)))
      throw denied(caller, action, arn);
  }
}

/** What is no ARN is told by the operation. */
function topicIn({ Name: name, ...arns }: Naming): string | undefined {
  if (name !== undefined) return name;
  const arn = arns.TopicArn ?? arns.TargetArn ?? arns.ResourceArn ?? arns.SubscriptionArn;
  return arn?.split(':')[5];
}

/** The queues that will get messages: that of a subscription, and the one for its dead letters. */
function queuesIn({ Endpoint: endpoint, Attributes: attributes, ...one }: Naming): string[] {
  const policy =
    attributes?.get('RedrivePolicy') ??
    (one.AttributeName === 'RedrivePolicy' ? one.AttributeValue : undefined);
  const letters = policy === undefined ? undefined : deadLetterTarget(policy);
  return [endpoint, letters].filter((arn) => arn !== undefined);
}

function denied(caller: Caller, action: SnsAction, resource: string): AwsError {
  return new AwsError(
    'AuthorizationError',
    `User: ${arnOfUser(caller)} is not authorized to perform: SNS:${action} on resource: ${resource}`,
  );
}
