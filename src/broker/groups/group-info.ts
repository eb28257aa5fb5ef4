import type { GroupHolds } from './group-holds.ts';
import type { Workload } from './rota-by-priority.ts';
import type { GroupState } from './group-state.ts';

/** The progress of a group. */
export interface GroupInfo {
  /** The next offset to deliver for the first time (first partition). */
  readonly cursor: number;
  /** Number of all deliveries ever made. */
  readonly deliverySequence: number;
  readonly lastDeliveredMs: number | undefined;
  readonly lastAckMs: number | undefined;
  /** Every offset below is done (first partition). */
  readonly ackFloor: number;
  /** One past the highest offset delivered for the first time (first partition). */
  readonly deliveredEnd: number;
  /** The ack floor at the last answer; at most `ackFloor`. */
  readonly answeredEnd: number;
  readonly ackFloorSequence: number;
  /** Pending messages: delivered and not done, including messages that wait for their redelivery. */
  readonly inFlight: number;
  /** Pending entries delivered more than once. */
  readonly redelivered: number;
  /** Messages since the start that were too old for the group. */
  readonly expired: number;
  /** Messages still to deliver for the first time. */
  readonly lag: number;
  /** The same, counting only messages that are on disk. This is the number shown to clients. */
  readonly durableLag: number;
  readonly consumers: number;
  readonly paused: boolean;
  readonly pausedUntilMs: number | undefined;
  /** The end of the hold of the whole group, by the wall clock; undefined if there is none. */
  readonly heldUntilMs: number | undefined;
  /** Number of keys held. */
  readonly keysHeld: number;
  /** For how long, in all, the group's rate has kept messages back since the start. */
  readonly throttledMs: number;
}

export function groupInfo(group: GroupState, consumers: number, holds: GroupHolds, nowMs: number): GroupInfo {
  const first = group.positions.ifOpened(0);
  let inFlight = 0;
  let redelivered = 0;
  let durableLag = 0;
  let keysHeld = 0;
  for (const position of group.positions.opened) {
    const { pending, held } = position;
    durableLag += position.durableLag;
    inFlight += pending.size - held;
    redelivered += pending.redelivered;
    keysHeld += position.keysHeld;
  }
  const { deliverySequence } = group;
  const lowest = first?.pending.first();
  return {
    cursor: first?.cursor ?? 0,
    deliverySequence,
    lastDeliveredMs: group.lastDeliveredMs,
    lastAckMs: group.lastAckMs,
    ackFloor: first?.ackFloor ?? 0,
    // A group with committed positions delivers nothing: the committed position stands for both.
    deliveredEnd: (group.isCommitted ? first?.cursor : first?.deliveredEnd) ?? 0,
    answeredEnd: (group.isCommitted ? first?.cursor : first?.answeredEnd) ?? 0,
    ackFloorSequence: lowest
      ? Math.max(0, (lowest.firstSequence || deliverySequence - inFlight + 1) - 1)
      : deliverySequence,
    inFlight,
    redelivered,
    expired: group.expired,
    lag: group.lag,
    durableLag,
    consumers,
    paused: group.isPaused,
    pausedUntilMs: group.isPaused ? group.config.pausedUntilMs : undefined,
    heldUntilMs: holds.untilMs,
    keysHeld,
    throttledMs: group.throttle?.keptBackMs(nowMs) ?? 0,
  };
}

/** What the group has to do now: see {@link Workload}. */
export function workloadOf(group: GroupState): Workload {
  let waiting = group.lag;
  let inFlight = 0;
  let isRedelivering = false;
  for (const { pending, held } of group.positions.opened) {
    waiting -= held;
    inFlight += pending.size - held;
    isRedelivering ||= pending.readyCount > 0;
  }
  return { waiting: waiting + (isRedelivering ? 1 : 0), inFlight };
}

/** The progress of a group on one partition. */
export interface PositionInfo {
  /** The next offset to deliver for the first time. */
  readonly cursor: number;
  /** Every offset below is done. */
  readonly ackFloor: number;
  /** Messages that are not done, delivered or not. */
  readonly undone: number;
}

/** Undefined if the topic has no such partition. */
export function positionInfo(group: GroupState, partition: number): PositionInfo | undefined {
  const position = group.positions.at(partition);
  if (!position) return undefined;
  const { cursor, ackFloor, lag, pending, held } = position;
  return { cursor, ackFloor, undone: lag + pending.size - held };
}

/** Messages that could be delivered now if consumers had credit: not yet delivered, or due for redelivery. */
export function countDeliverable(group: GroupState): number {
  if (group.isResting) return 0;
  const { maxInFlight = Infinity, ack } = group.config;
  let deliverable = 0;
  for (const { pending, held, lag, deliverableAgain } of group.positions.opened) {
    deliverable += deliverableAgain;
    // The limit applies to each partition.
    if (ack === 'none' || pending.size - held < maxInFlight) deliverable += lag - held;
  }
  return deliverable;
}
