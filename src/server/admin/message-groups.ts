import type { MessageGroupJson, MessageGroupsJson } from '../../admin-api/index.ts';
import type { Group } from '../../broker/index.ts';
import { type AdminContext, topicFor } from './context.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import { readQuery, wholeNumber } from './shape.ts';

/** How far each group is with one message. */
export function showMessageGroups(
  request: AdminRequest,
  context: AdminContext,
): JsonReply<MessageGroupsJson> {
  const topic = topicFor('consume', request, context);
  const { partition = 0 } = readQuery<{ partition?: number }>(request.query, { partition: wholeNumber() });
  const offset = wholeNumber()(request.params['offset'], 'offset');
  const isThere = topic.partitions.indexes().includes(partition);
  const groups = isThere ? [...topic.groups.values()] : [];
  return json({ groups: groups.map((group) => describe(group, partition, offset)) });
}

function describe(group: Group, partition: number, offset: number): MessageGroupJson {
  const state = !group.hasPassed(partition, offset)
    ? 'waiting'
    : group.isDone(partition, offset)
      ? 'done'
      : 'in-flight';
  return { name: group.name, state };
}
