import { topicArn, topicInArn } from '../arns.ts';
import { invalidParameter } from '../errors.ts';
import { checkTopicAttribute, defaultPolicy, withAttribute } from '../topic-attributes.ts';
import { type Handler, nothing } from './handler.ts';

interface PolicyDocument {
  readonly Statement?: readonly { readonly Sid?: string }[];
}

/** Adds a statement to the policy of a topic. */
export const addPermission: Handler<'AddPermission'> = async (sns, caller, input) => {
  const { Label: label, AWSAccountId: accounts, ActionName: actions } = input;
  const topic = sns.topics.byName(topicInArn(input.TopicArn));
  const arn = topicArn(caller, topic.name);
  const policy = policyOf(topic.attributes['Policy'] ?? defaultPolicy(arn, caller.account));
  const { Statement: statements = [] } = policy;
  if (statements.some(({ Sid }) => Sid === label)) throw invalidParameter('Statement already exists');
  for (const account of accounts) if (!/^\d{12}$/.test(account)) throw invalidParameter('AWSAccountId');
  for (const action of actions)
    if (!actionsOfTopics.has(action)) throw invalidParameter(`Policy statement action out of service scope!`);
  const principals = accounts.map((account) => `arn:aws:iam::${account}:root`);
  const statement = {
    Sid: label,
    Effect: 'Allow',
    Principal: { AWS: principals.length === 1 ? principals[0] : principals },
    Action: actions.length === 1 ? `SNS:${actions[0]}` : actions.map((action) => `SNS:${action}`),
    Resource: arn,
  };
  const text = JSON.stringify({ ...policy, Statement: [...statements, statement] });
  checkTopicAttribute('Policy', text, topic.isFifo);
  await sns.topics.setAttributes(topic, withAttribute(topic.attributes, 'Policy', text));
  return nothing;
};

/** Takes the statement of a label away; none is no error. */
export const removePermission: Handler<'RemovePermission'> = async (sns, _caller, input) => {
  const topic = sns.topics.byName(topicInArn(input.TopicArn));
  const { Policy: before } = topic.attributes;
  if (before === undefined) return nothing;
  const policy = policyOf(before);
  const Statement = (policy.Statement ?? []).filter(({ Sid }) => Sid !== input.Label);
  const text = JSON.stringify({ ...policy, Statement });
  await sns.topics.setAttributes(topic, withAttribute(topic.attributes, 'Policy', text));
  return nothing;
};

/** A policy that was checked; a single statement may stand alone. */
function policyOf(text: string): PolicyDocument {
  const { Statement: statements = [], ...policy } = JSON.parse(text) as PolicyDocument;
  return { ...policy, Statement: [statements].flat() };
}

const actionsOfTopics: ReadonlySet<string> = new Set([
  'AddPermission',
  'DeleteTopic',
  'GetDataProtectionPolicy',
  'GetTopicAttributes',
  'ListSubscriptionsByTopic',
  'ListTagsForResource',
  'Publish',
  'PutDataProtectionPolicy',
  'RemovePermission',
  'SetTopicAttributes',
  'Subscribe',
]);
