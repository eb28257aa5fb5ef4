import type { ResetJson, SeekPreviewJson } from '../../admin-api/index.ts';
import type { Group, GroupStart, Partition } from '../../broker/index.ts';
import { type AdminContext, groupFor } from './context.ts';
import { readStart } from './groups.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import { anything, readObject } from './shape.ts';

/** What a move of a group would bring again or pass over, without moving it. */
export async function previewReset(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<SeekPreviewJson>> {
  const group = groupFor(request, context);
  const body = readObject<{ readonly [K in keyof ResetJson]: unknown }>(
    await request.json(),
    { start: anything },
    ['start'],
  );
  const start = readStart(body.start);
  let again = 0;
  let passed = 0;
  let after = 0;
  for (const partition of group.topic.partitions.opened.slice()) {
    const target = await offsetOf(start, partition);
    if (target === undefined) return json({ again: null, passed: null, after: null, isUpperBound: true });
    const cursor = cursorOf(group, partition);
    again += target < cursor ? partition.liveIn(target, cursor) : 0;
    passed += target > cursor ? partition.liveIn(cursor, Math.min(target, partition.stableEnd)) : 0;
    after += partition.liveFrom(target);
  }
  return json({ again, passed, after, isUpperBound: group.isFiltered });
}

function cursorOf(group: Group, { index }: Partition): number {
  return group.positionInfo(index)?.cursor ?? 0;
}

/** Undefined: it would take a look at every key. */
async function offsetOf(start: GroupStart, partition: Partition): Promise<number | undefined> {
  const { firstOffset, stableEnd } = partition;
  switch (start.kind) {
    case 'all':
      return firstOffset;
    case 'new':
      return stableEnd;
    case 'last':
      return partition.offsetOfLast(1);
    case 'offset':
      return Math.min(Math.max(start.offset, firstOffset), stableEnd);
    case 'time':
      return Math.max(firstOffset, await partition.offsetAtTime(start.timestampMs));
    default:
      return undefined;
  }
}
