import { defaultGroup, type Topic } from '../../broker/index.ts';
import { encodeTable, type FieldTable } from '../../wire/amqp/index.ts';
import { effectiveArguments, type Policies } from './policies/index.ts';
import { queueArguments } from './queue-arguments.ts';
import { definitionOf, type QueueDefinition, type StoredQueue } from './queue-definition.ts';
import { asksForStream } from './streams/index.ts';
import type { VhostNames } from './vhosts/vhost-names.ts';

/** What is stored of a queue, and the arguments that hold for it. */
export interface StoredWithPolicy {
  readonly stored: StoredQueue;
  readonly effective: FieldTable;
}

/** A queue under the policy that holds for it, if there is one. */
export function withPolicy(
  policies: Policies,
  { vhost }: VhostNames,
  name: string,
  { durable, exclusive, autoDelete, arguments: table }: QueueDefinition,
): StoredWithPolicy {
  const type = table.get('x-queue-type') === 'quorum' ? 'quorum' : 'classic';
  const policy = asksForStream(table) ? undefined : policies.of({ vhost, name, type });
  const effective = effectiveArguments(table, policy);
  const stored = { durable, exclusive, autoDelete, arguments: textOf(table) };
  if (!policy) return { stored, effective };
  return { stored: { ...stored, policy: { name: policy.name, arguments: textOf(effective) } }, effective };
}

/**
 * Changes a queue as the policies are now. Resolves to whether it changed, when that is on disk. A topic that AMQP
 * has not declared has no policy.
 */
export async function applyPolicy(policies: Policies, names: VhostNames, topic: Topic): Promise<boolean> {
  const before = topic.config.attributes['amqp'] as StoredQueue | undefined;
  const mayHold = before?.policy !== undefined || policies.in(names.vhost).length > 0;
  if (before === undefined || !mayHold || topic.isDeleted) return false;
  const name = names.queueName(topic.name);
  const { stored, effective } = withPolicy(policies, names, name, definitionOf(topic));
  if (JSON.stringify(stored.policy) === JSON.stringify(before.policy)) return false;
  const given = queueArguments(name, effective);
  const {
    messagesMax: _messages,
    bytesMax: _bytes,
    overflow: _overflow,
    deadLetter: _letters,
    ...rest
  } = topic.config;
  const { messagesMax, bytesMax, overflow, deadLetter } = given.topic;
  const updated = topic.update(
    topic.checkUpdate({
      ...rest,
      ...(messagesMax !== undefined && { messagesMax }),
      ...(bytesMax !== undefined && { bytesMax }),
      ...(deadLetter !== undefined && { deadLetter }),
      overflow: overflow ?? 'drop-oldest',
      attributes: { ...topic.config.attributes, amqp: stored },
    }),
  );
  await Promise.all([updated, updateGroup(topic, given.group)]);
  return true;
}

function updateGroup(
  topic: Topic,
  { messageTtlMs, maxDeliver }: ReturnType<typeof queueArguments>['group'],
): Promise<void> | undefined {
  const group = topic.groups.get(defaultGroup);
  if (!group) return undefined;
  const { messageTtlMs: _ttl, maxDeliver: _limit, ...rest } = group.config;
  return group.update({
    ...rest,
    ...(messageTtlMs !== undefined && { messageTtlMs }),
    ...(maxDeliver !== undefined && { maxDeliver }),
  });
}

function textOf(table: FieldTable): string {
  return encodeTable(table).toString('base64');
}
