import type { GroupInfo } from './groups/group-info.ts';
import type { Group, Topic } from './model.ts';
import type { Levels } from './partitions/levels.ts';
import type { Rate } from './partitions/rates.ts';

/** A topic as far as its statistics need it. */
interface MeasuredTopic extends Topic {
  readonly partitions: Topic['partitions'] & {
    readonly opened: readonly { count: number; bytes: number; levels: Levels | undefined }[];
  };
  readonly durableCount: number;
  readonly durableBytes: number;
  readonly inRate: Rate;
  readonly removedRate: Rate;
  readonly expiry: { readonly size: number };
  readonly leaving: {
    readonly counts: TopicStats['left'];
    readonly deadLettered: number;
    readonly lost: number;
  };
  readonly publishRate: TopicStats['overRate'];
  readonly uniqueKeys: { readonly size: number; readonly ignored: number; readonly replaced: number };
}

/** A group as far as its statistics need it. */
interface MeasuredGroup extends Group {
  readonly topic: Topic & { readonly inRate: Rate };
  readonly deliverRate: Rate;
  readonly ackRate: Rate;
  info(): GroupInfo;
}

/**
 * Statistics of a topic. Messages and bytes are those on disk. Rates are per second over about ten seconds;
 * times are estimates from them.
 */
export interface TopicStats {
  readonly messages: number;
  readonly bytes: number;
  readonly published: number;
  readonly inPerSecond: number;
  readonly removedPerSecond: number;
  /**
   * Milliseconds until messagesMax or bytesMax is reached, if rates stay the same, so that publishes are
   * refused or the oldest messages dropped. Absent if no limit is getting closer. The disk is shared by all
   * topics: see `diskTimeToFullMs` of the broker.
   */
  readonly timeToFullMs?: number;
  readonly groups: number;
  /** Messages with a time to live of their own; some of them may be gone already. */
  readonly expiring: number;
  /** Messages since the start that left without an answer from a group, by cause. */
  readonly left: { readonly overflow: number; readonly expired: number; readonly removed: number };
  /** Messages that became dead letters since the start, including those of its groups. */
  readonly deadLettered: number;
  /** Messages that its policy would have made dead letters, but that were removed without. */
  readonly deadLettersLost: number;
  /** Publishes since the start beyond the topic's rate: those that were refused, and that had to wait. */
  readonly overRate: { readonly refused: number; readonly waited: number };
  /** Unique keys there are, and publishes since the start that were ignored or replaced an earlier one. */
  readonly unique: { readonly keys: number; readonly ignored: number; readonly replaced: number };
}

/** Statistics of a group. The lag counts messages on disk. */
export interface GroupStats {
  readonly lag: number;
  readonly inFlight: number;
  readonly redelivered: number;
  readonly delivered: number;
  readonly acked: number;
  /** Messages since the start that were too old for the group (`messageTtlMs`). */
  readonly expired: number;
  readonly inPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly ackedPerSecond: number;
  /**
   * Milliseconds until nothing is left to deliver, if rates stay the same; absent if the lag does not shrink.
   */
  readonly timeToEmptyMs?: number;
  readonly consumers: number;
  readonly paused: boolean;
}

export function topicStats(topic: MeasuredTopic, nowMs: number): TopicStats {
  const inPerSecond = topic.inRate.perSecond(nowMs);
  const removedPerSecond = topic.removedRate.perSecond(nowMs);
  const timeToFullMs = limitsTimeToFullMs(topic, inPerSecond - removedPerSecond);
  return {
    messages: topic.durableCount,
    bytes: topic.durableBytes,
    published: topic.inRate.count,
    inPerSecond,
    removedPerSecond,
    groups: topic.groups.size,
    expiring: topic.expiry.size,
    left: { ...topic.leaving.counts },
    deadLettered: topic.leaving.deadLettered,
    deadLettersLost: topic.leaving.lost,
    unique: {
      keys: topic.uniqueKeys.size,
      ignored: topic.uniqueKeys.ignored,
      replaced: topic.uniqueKeys.replaced,
    },
    overRate: { refused: topic.publishRate.refused, waited: topic.publishRate.waited },
    ...(Number.isFinite(timeToFullMs) ? { timeToFullMs: Math.round(timeToFullMs) } : {}),
  };
}

/** Number of stored messages by priority; undefined if the topic has no priorities. */
export function messagesByPriority(topic: MeasuredTopic): readonly number[] | undefined {
  const { priorities } = topic.config;
  if (priorities === undefined) return undefined;
  const counts = Array.from({ length: priorities }, () => 0);
  for (const { count, levels } of topic.partitions.opened) {
    counts[0]! += count - (levels?.size ?? 0);
    for (let level = 1; level <= (levels?.highest ?? 0); level++) counts[level]! += levels!.sizeOf(level);
  }
  return counts;
}

/** Time until the fullest partition reaches a limit, if growth is spread evenly over the partitions. */
function limitsTimeToFullMs(topic: MeasuredTopic, growthPerSecond: number): number {
  const { messagesMax = Infinity, bytesMax = Infinity } = topic.config;
  if (growthPerSecond <= 0 || (messagesMax === Infinity && bytesMax === Infinity)) return Infinity;
  const growth = growthPerSecond / topic.partitions.length;
  let seconds = Infinity;
  for (const { count, bytes } of topic.partitions.opened) {
    seconds = Math.min(seconds, (messagesMax - count) / growth);
    // New messages are assumed to be as large as the present ones.
    if (count > 0) seconds = Math.min(seconds, (bytesMax - bytes) / (growth * (bytes / count)));
  }
  return Math.max(0, seconds) * 1000;
}

export function groupStats(group: MeasuredGroup, nowMs: number): GroupStats {
  const { durableLag: lag, inFlight, redelivered, expired, consumers, paused } = group.info();
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
    expired,
    inPerSecond,
    deliveredPerSecond,
    ackedPerSecond,
    consumers,
    paused,
    ...(lag > 0 && shrinking > 0 ? { timeToEmptyMs: Math.round((lag / shrinking) * 1000) } : {}),
  };
}
