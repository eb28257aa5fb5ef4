import { AwsError, type SqsAction } from '../../wire/aws/index.ts';
import type { TopicAction } from '../users/index.ts';
import type { Caller } from './caller.ts';
import { arnOfUser, policyVerdict } from './policies.ts';
import { nameInArn, nameInUrl, queueArn } from './queue-address.ts';
import type { Sqs } from './sqs.ts';

/**
 * What an operation needs on the queue that it names: a permission, or any of them to look at it. Undefined:
 * it names none.
 */
const needs: { readonly [A in SqsAction]: TopicAction | 'any' | undefined } = {
  AddPermission: 'manage',
  CancelMessageMoveTask: undefined, // only who has started a task knows its handle
  ChangeMessageVisibility: 'consume',
  ChangeMessageVisibilityBatch: 'consume',
  CreateQueue: 'manage',
  DeleteMessage: 'consume',
  DeleteMessageBatch: 'consume',
  DeleteQueue: 'manage',
  GetQueueAttributes: 'any',
  GetQueueUrl: 'any',
  ListDeadLetterSourceQueues: 'any',
  ListMessageMoveTasks: 'any',
  ListQueueTags: 'any',
  ListQueues: undefined, // it lists what the caller may see
  PurgeQueue: 'manage',
  ReceiveMessage: 'consume',
  RemovePermission: 'manage',
  SendMessage: 'publish',
  SendMessageBatch: 'publish',
  SetQueueAttributes: 'manage',
  StartMessageMoveTask: 'consume',
  TagQueue: 'manage',
  UntagQueue: 'manage',
};

/** The batch operations count as those of single messages, in policies. */
const single = /Batch$/;

/** The members by which operations name queues. */
interface Naming {
  readonly QueueUrl?: string;
  readonly QueueName?: string;
  readonly SourceArn?: string;
  readonly DestinationArn?: string;
  readonly Attributes?: ReadonlyMap<string, string>;
}

/**
 * Throws AccessDenied if the caller may not do an operation. It may if its own permissions or the policy of
 * the queue allow it, and the policy does not deny it. Where no login is asked for, policies are not asked
 * either.
 */
export function authorize(sqs: Sqs, caller: Caller, action: SqsAction, input: Naming): void {
  if (caller.user === null) return;
  const need = needs[action];
  const name = queueIn(input);
  if (need !== undefined && name !== undefined) {
    const verdict = policyVerdict(sqs.queues.get(name)?.stored.attributes.Policy, caller, {
      action: `sqs:${action.replace(single, '')}`,
      resource: queueArn(caller, name),
      nowMs: sqs.broker.clock.now(),
    });
    if (verdict === 'deny')
      throw denied(caller, action, name, 'with an explicit deny in a resource-based policy');
    if (verdict !== 'allow' && !may(caller, need, topicOf(sqs, name)))
      throw denied(
        caller,
        action,
        name,
        `because no identity-based policy allows the sqs:${action.toLowerCase()} action`,
      );
  }
  for (const target of targetsOf(input)) checkTarget(sqs, caller, action, target);
}

/** Messages must not reach a queue by a detour that the caller may not send to. Throws AccessDenied. */
function checkTarget(sqs: Sqs, caller: Caller, action: SqsAction, target: string): void {
  if (caller.access.mayPublish(topicOf(sqs, target))) return;
  throw denied(caller, action, target, 'because no identity-based policy allows the sqs:sendmessage action');
}

function may({ access }: Caller, need: TopicAction | 'any', topic: string): boolean {
  return need === 'any' ? access.maySee(topic) : access.may(need, topic);
}

function queueIn({ QueueUrl: url, QueueName: name, SourceArn: arn }: Naming): string | undefined {
  if (url !== undefined) return nameInUrl(url);
  return name ?? (arn === undefined ? undefined : nameInArn(arn));
}

/** The queues to which messages will move. */
function targetsOf({ DestinationArn: destination, Attributes: attributes }: Naming): string[] {
  const policy = attributes?.get('RedrivePolicy');
  const arns = [destination, policy === undefined ? undefined : deadLetterTarget(policy)];
  return arns.flatMap((arn) => (arn === undefined ? [] : (nameInArn(arn) ?? [])));
}

/** The ARN in a redrive policy. Undefined for what is no policy: that is told when it is set. */
export function deadLetterTarget(policy: string): string | undefined {
  try {
    const { deadLetterTargetArn: arn } = JSON.parse(policy) as { readonly deadLetterTargetArn?: unknown };
    return typeof arn === 'string' ? arn : undefined;
  } catch {
    return undefined;
  }
}

/** The name by which users have permissions for a queue. */
export function topicOf({ queues }: Sqs, name: string): string {
  return queues.get(name)?.topic.name ?? name;
}

function denied(caller: Caller, action: SqsAction, queue: string, why: string): AwsError {
  return new AwsError(
    'AccessDenied',
    `User: ${arnOfUser(caller)} is not authorized to perform: sqs:${action.toLowerCase()} on resource: ${queueArn(caller, queue)} ${why}`,
  );
}
