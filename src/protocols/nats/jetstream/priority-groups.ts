import type { CollectorOptions, Group } from '../../../broker/index.ts';
import type { ConsumerConfig, ConsumerConfigRequest } from './consumer-config.ts';
import type { Context } from './context.ts';
import { apiError } from './errors.ts';
import { freshId } from './ids.ts';
import { assetName } from './names.ts';
import { badRequestStatus, pinMismatchStatus, wrongPinStatus } from './status.ts';
import { timeText, zeroTime } from './time.ts';

// Priority groups (ADR-42) are the precedence among the pull requests of a consumer. The policy of the
// consumer decides: `overflow` and `prioritized` are properties of each request, `pinned_client` is a group
// with a single active consumer, whose member is the pin id.

export type PriorityPolicy = 'overflow' | 'pinned_client' | 'prioritized';

/** The members of a consumer's configuration that are about priority groups. */
export interface PriorityConfig {
  readonly priority_groups?: readonly string[];
  readonly priority_policy?: PriorityPolicy;
  readonly priority_timeout?: number;
}

const groupName = /^[a-zA-Z0-9/_=-]{1,16}$/;
/** How long a pinned client may be silent: 2 minutes. */
const pinnedNanosDefault = 120e9;

/** Checks in nats-server's order. */
export function priorityConfig(request: ConsumerConfigRequest): PriorityConfig {
  const { priority_policy: policy = 'none', priority_groups: groups = [] } = request;
  const timeout = Math.max(0, request.priority_timeout ?? 0);
  if (policy === 'none' || policy === '') {
    if (groups.length > 0) throw apiError('priorityGroupWithoutPolicy');
    if (timeout > 0) throw apiError('pinnedTtlWithoutPolicy');
    return {};
  }
  if (request.deliver_subject) throw apiError('pushWithPriorityGroup');
  if (groups.length === 0) throw apiError('priorityPolicyWithoutGroup');
  for (const group of groups) checkGroupName(group);
  const nanos = timeout || (policy === 'pinned_client' ? pinnedNanosDefault : 0);
  return {
    priority_groups: groups,
    priority_policy: policy,
    ...(nanos > 0 ? { priority_timeout: nanos } : {}),
  };
}

/** Throws 10161 or 10162. */
export function checkGroupName(group: string): void {
  if (group === '') throw apiError('emptyGroupName');
  if (!groupName.test(group)) throw apiError('invalidGroupName');
}

/** What a pull request says about its priority; the zero values of members that it leaves out. */
export interface PullPriority {
  readonly group: string;
  readonly id: string;
  readonly minPending: number;
  readonly minAckPending: number;
  readonly priority: number;
}

/** The highest number of a priority, which is the last to get messages. */
const priorityMax = 9;

/**
 * The status that refuses a pull request; undefined: it may have messages. Requests without a JSON body are
 * in no group, and are not refused.
 */
export function refusalOfPull(
  { config, group }: { readonly config: ConsumerConfig; readonly group: Group },
  wanted: PullPriority | undefined,
  { batch, maxBytes }: { readonly batch: number; readonly maxBytes: number },
): Buffer | undefined {
  if (wanted === undefined) return undefined;
  const { priority_policy: policy, priority_groups: groups = [] } = config;
  if ((wanted.minPending !== 0 || wanted.minAckPending !== 0) && policy !== 'overflow')
    return badRequestStatus('Not a Overflow Priority consumer');
  if (wanted.id !== '' && policy !== 'pinned_client')
    return badRequestStatus('Not a Pinned Client Priority consumer');
  if (wanted.priority < 0 || wanted.priority > priorityMax)
    return badRequestStatus(`Priority must be between 0 and ${priorityMax}`);
  if (policy === undefined) return undefined;
  if (wanted.group === '') return badRequestStatus('Priority Group missing');
  if (!groups.includes(wanted.group)) return badRequestStatus('Invalid Priority Group');
  if (wanted.id === '') return undefined;
  const pinned = group.active?.member;
  // nats-server lets a request with a former id wait, and answers so as soon as there is a message for it.
  if (pinned === undefined) return wrongPinStatus(batch, maxBytes);
  return pinned === wanted.id ? undefined : pinMismatchStatus;
}

/** The precedence of a pull request among those of its consumer. */
export function precedenceOfPull(
  { priority_policy: policy }: ConsumerConfig,
  wanted: PullPriority | undefined,
): Pick<CollectorOptions, 'priority' | 'member' | 'overflow' | 'presence'> {
  switch (policy) {
    case undefined:
      return {};
    case 'prioritized':
      return { priority: -(wanted?.priority ?? priorityMax + 1) };
    case 'pinned_client':
      return { presence: 'pulls', ...(wanted?.id ? { member: wanted.id } : {}) };
    case 'overflow':
      break;
  }
  const { minPending = 0, minAckPending = 0 } = wanted ?? {};
  if (minPending <= 0 && minAckPending <= 0) return {};
  return {
    overflow: {
      ...(minPending > 0 ? { waitingMin: minPending } : {}),
      ...(minAckPending > 0 ? { inFlightMin: minAckPending } : {}),
    },
  };
}

/** The pin id that messages of the consumer carry; undefined: no client is pinned. */
export function pinIdOf(group: Group): string | undefined {
  return group.active?.member;
}

/**
 * The state of the priority groups in a ConsumerInfo: as in nats-server, there is one pin for all of them.
 */
export function priorityState({ priority_groups: groups }: ConsumerConfig, group: Group): object {
  if (groups === undefined) return {};
  const { active } = group;
  const isPinned = active?.member !== undefined;
  return {
    priority_groups: [
      {
        group: groups[0],
        ...(isPinned ? { pinned_client_id: active.member } : {}),
        pinned_ts: isPinned ? timeText(active.sinceMs) : zeroTime,
      },
    ],
  };
}

/** Tells that a client was pinned. */
export function tellPinned(context: Context, group: Group, pinId: string): void {
  tell(context, group, 'pinned', { pinned_id: pinId });
}

/** Tells that the pinned client is pinned no longer. */
export function tellUnpinned(context: Context, group: Group, reason: 'admin' | 'timeout'): void {
  tell(context, group, 'unpinned', { reason });
}

function tell(context: Context, group: Group, what: 'pinned' | 'unpinned', members: object): void {
  const { priority_groups: groups } = (group.config.attributes['nats'] ?? {}) as PriorityConfig;
  if (groups === undefined) return;
  const stream = assetName(group.topic.name);
  const consumer = assetName(group.name);
  const subject = `$JS.EVENT.ADVISORY.CONSUMER.${what.toUpperCase()}.${stream}.${consumer}`;
  context.outlet.advisory(subject, () => ({
    type: `io.nats.jetstream.advisory.v1.consumer_group_${what}`,
    id: freshId(context.random),
    timestamp: timeText(context.clock.now()),
    account: '$G',
    stream,
    consumer,
    group: groups[0],
    ...members,
  }));
}
