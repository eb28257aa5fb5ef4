import type { VNode } from 'preact';
import type { GroupJson } from '../../admin-api/index.ts';
import type { Projection } from '../projection.ts';

/** The state of a group in a word, with a shape. */
export function GroupState({ group }: { readonly group: GroupJson }): VNode {
  if (group.paused) return <span class="warning">‖ paused</span>;
  if (group.lag > 0 && group.consumers === 0) return <span class="warning">○ no consumer</span>;
  if (group.lag > 0 && group.inPerSecond > group.ackedPerSecond * 1.05 && group.inPerSecond > 0.1)
    return <span class="warning">▲ grows</span>;
  if (group.lag > 0 && group.ackedPerSecond > group.inPerSecond * 1.05) return <span>▼ shrinks</span>;
  if (group.lag > 0) return <span>■ stands still</span>;
  return <span class="ok">● up to date</span>;
}

/** Where the lag of a group goes. */
export function projectionOf(group: GroupJson): Projection | undefined {
  if (group.timeToEmptyMs !== null && group.lag > 0)
    return { perSecond: 0, end: 0, inMs: group.timeToEmptyMs };
  const perSecond = group.inPerSecond - group.ackedPerSecond;
  return group.lag > 0 && perSecond > 0.05 ? { perSecond, end: null, inMs: null } : undefined;
}
