import { AwsError } from '../../../wire/aws/index.ts';
import { invalidParameter } from '../errors.ts';
import { queueArn } from '../queue-address.ts';
import type { Queue } from '../queue.ts';
import { type Handler, nothing } from './handler.ts';

/** A statement of a policy; those that clients wrote themselves may have more. */
interface Statement {
  readonly Sid?: unknown;
}

interface Policy {
  readonly Version?: unknown;
  readonly Id?: unknown;
  readonly Statement: readonly Statement[];
}

const actionsMax = 7;

/** The actions that may be permitted, as the API reference of AddPermission has them. */
const actions: ReadonlySet<string> = new Set([
  '*',
  'ChangeMessageVisibility',
  'DeleteMessage',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListDeadLetterSourceQueues',
  'PurgeQueue',
  'ReceiveMessage',
  'SendMessage',
]);

/** Writes a statement into the attribute Policy. */
export const addPermission: Handler<'AddPermission'> = async (
  { queues },
  caller,
  { QueueUrl: url, Label: label, AWSAccountIds: accounts, Actions: given },
) => {
  const queue = queues.byUrl(url);
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(label))
    throw invalidParameter(
      'Label',
      label,
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.',
    );
  for (const account of accounts)
    if (!/^\d{12}$/.test(account)) throw invalidParameter('PrincipalId', account, 'Unable to verify.');
  for (const action of given)
    if (!actions.has(action))
      throw invalidParameter(
        'ActionName',
        `SQS:${action}`,
        'Please refer to the appropriate WSDL for a list of valid actions. ',
      );
  if (given.length > actionsMax)
    throw new AwsError('OverLimit', `${given.length} Actions were found, maximum allowed is ${actionsMax}.`);
  const arn = queueArn(caller, queue.name);
  const policy = policyOf(queue) ?? { Version: '2008-10-17', Id: `${arn}/SQSDefaultPolicy`, Statement: [] };
  if (policy.Statement.some(({ Sid }) => Sid === label))
    throw invalidParameter('Label', label, 'Already exists.');
  const statement = {
    Sid: label,
    Effect: 'Allow',
    Principal: { AWS: oneOrMany(accounts.map((account) => `arn:aws:iam::${account}:root`)) },
    Action: oneOrMany(given.map((action) => `SQS:${action}`)),
    Resource: arn,
  };
  const changed = { ...policy, Statement: [...policy.Statement, statement] };
  await queues.setAttributes(queue, { Policy: JSON.stringify(changed) });
  return nothing;
};

export const removePermission: Handler<'RemovePermission'> = async (
  { queues },
  _caller,
  { QueueUrl: url, Label: label },
) => {
  const queue = queues.byUrl(url);
  const policy = policyOf(queue);
  const rest = policy?.Statement.filter(({ Sid }) => Sid !== label) ?? [];
  if (!policy || rest.length === policy.Statement.length)
    throw invalidParameter('Label', label, "can't find label.");
  const Policy = rest.length === 0 ? '' : JSON.stringify({ ...policy, Statement: rest });
  await queues.setAttributes(queue, { Policy });
  return nothing;
};

function policyOf(queue: Queue): Policy | undefined {
  const text = queue.stored.attributes.Policy;
  if (text === undefined) return undefined;
  const { Statement: statements, ...rest } = JSON.parse(text) as Omit<Policy, 'Statement'> & {
    readonly Statement: Statement | readonly Statement[];
  };
  return { ...rest, Statement: [statements].flat() };
}

/** As SQS writes policies: one is a text, several are a list. */
function oneOrMany(texts: readonly string[]): string | readonly string[] {
  return texts.length === 1 ? texts[0]! : texts;
}
