import { defaultGroup, type Topic } from '../../broker/index.ts';
import { encodeTable, type FieldTable } from '../../wire/amqp/index.ts';
import {
  argumentsOfDefinition,
  effectiveArguments,
  type Policies,
  type PolicyDefinition,
} from './policies/index.ts';
import { queueArguments } from './queue-arguments.ts';
import { definitionOf, type QueueDefinition, type StoredQueue } from './queue-definition.ts';
import { asksForStream, streamTopic } from './streams/index.ts';
import type { VhostNames } from './vhosts/vhost-names.ts';

/** What is stored of a queue, and the arguments that hold for it. */
export interface StoredWithPolicy {
  readonly stored: StoredQueue;
  readonly effective: FieldTable;
}

/** A queue under the policies that hold for it, if there are any. */
export function withPolicy(
  policies: Policies,
  { vhost }: VhostNames,
  name: string,
  { durable, exclusive, autoDelete, arguments: table }: QueueDefinition,
): StoredWithPolicy {
  const held = policies.of({ vhost, name, kind: kindOf(table) });
  const effective = effectiveArguments(table, held.definition);
  const stored = { durable, exclusive, autoDelete, arguments: textOf(table) };
  if (!held.definition) return { stored, effective };
  const policy = {
    ...(held.name !== undefined && { name: held.name }),
    ...(held.operatorName !== undefined && { operatorName: held.operatorName }),
    arguments: textOf(effective),
  };
  return { stored: { ...stored, policy }, effective };
}

/**
 * Changes a queue as the policies are now. Resolves to whether it changed, when that is on disk. A topic that
 * AMQP has not declared has no policy.
 */
export async function applyPolicy(policies: Policies, names: VhostNames, topic: Topic): Promise<boolean> {
  const before = topic.config.attributes['amqp'] as StoredQueue | undefined;
  const mayHold = before?.policy !== undefined || policies.areIn(names.vhost);
  if (before === undefined || !mayHold || topic.isDeleted) return false;
  const name = names.queueName(topic.name);
  const definition = definitionOf(topic);
  const { stored, effective } = withPolicy(policies, names, name, definition);
  if (JSON.stringify(stored.policy) === JSON.stringify(before.policy)) return false;
  const attributes = { ...topic.config.attributes, amqp: stored };
  if (asksForStream(definition.arguments)) {
    const { bytesMax: _bytes, ageMsMax: _age, ...rest } = topic.config;
    const { bytesMax, ageMsMax } = streamTopic(name, definition, effective);
    const limits = {
      ...(bytesMax !== undefined && { bytesMax }),
      ...(ageMsMax !== undefined && { ageMsMax }),
    };
    await topic.update(topic.checkUpdate({ ...rest, ...limits, attributes }));
    return true;
  }
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
      attributes,
    }),
  );
  await Promise.all([updated, updateGroup(topic, given.group)]);
  return true;
}

/** Throws PRECONDITION_FAILED for a definition that no queue could have. */
export function checkDefinition(definition: PolicyDefinition): void {
  const table = new Map(argumentsOfDefinition(definition));
  const ageMax = table.get('x-max-age');
  table.delete('x-max-age');
  queueArguments('a policy', table);
  if (ageMax === undefined) return;
  const flags = { durable: true, exclusive: false, autoDelete: false };
  streamTopic('a policy', flags, new Map([['x-max-age', ageMax]]));
}

function kindOf(table: FieldTable): 'classic' | 'quorum' | 'stream' {
  if (asksForStream(table)) return 'stream';
  return table.get('x-queue-type') === 'quorum' ? 'quorum' : 'classic';
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
