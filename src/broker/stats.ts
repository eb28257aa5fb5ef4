import type { Group } from './group.ts';
import type { Topic } from './topic.ts';

/** How a topic is doing. Rates are per second over about ten seconds; times are estimates from them. */
export interface TopicStats {
  readonly messages: number;
  readonly bytes: number;
  readonly published: number;
  readonly inPerSecond: number;
  readonly removedPerSecond: number;
  /** Milliseconds until messagesMax is reached if rates stay; absent when there is no limit, or it is not nearing. */
  readonly timeToFullMs?: number;
  readonly groups: number;
}

/** How a group is doing. */
export interface GroupStats {
  readonly lag: number;
  readonly inFlight: number;
  readonly redelivered: number;
  readonly delivered: number;
  readonly acked: number;
  readonly inPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly ackedPerSecond: number;
  /** Milliseconds until nothing is left to deliver if rates stay; absent when the lag is not shrinking. */
  readonly timeToEmptyMs?: number;
  readonly consumers: number;
  readonly paused: boolean;
}

export function topicStats(topic: Topic, nowMs: number): TopicStats {
  const inPerSecond = topic.inRate.perSecond(nowMs);
  const removedPerSecond = topic.removedRate.perSecond(nowMs);
  const { messagesMax } = topic.config;
  const growth = inPerSecond - removedPerSecond;
  const room = messagesMax === undefined ? Infinity : messagesMax - topic.count;
  return {
    messages: topic.count,
    bytes: topic.bytes,
    published: topic.inRate.count,
    inPerSecond,
    removedPerSecond,
    groups: topic.groups.size,
    ...(growth > 0 && Number.isFinite(room)
      ? { timeToFullMs: Math.max(0, Math.round((room / growth) * 1000)) }
      : {}),
  };
}

export function groupStats(group: Group, nowMs: number): GroupStats {
  const { lag, inFlight, redelivered, consumers, paused } = group.info();
  const inPerSecond = group.topic.inRate.perSecond(nowMs);
  const deliveredPerSecond = group.deliverRate.perSecond(nowMs);
  const ackedPerSecond = group.ackRate.perSecond(nowMs);
  const shrinking = deliveredPerSecond - inPerSecond;
  return {
    lag,
    inFlight,
    redelivered,
    delivered: group.deliverRate.count,
    acked: group.ackRate.count,
    inPerSecond,
    deliveredPerSecond,
    ackedPerSecond,
    consumers,
    paused,
    ...(lag > 0 && shrinking > 0 ? { timeToEmptyMs: Math.round((lag / shrinking) * 1000) } : {}),
  };
}
