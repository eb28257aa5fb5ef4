import { defaultGroup, type Topic } from '../../broker/index.ts';

/** A rate of messages per second, over about ten seconds. */
interface Rate {
  readonly rate: number;
}

/** The messages of a queue. */
export type MessageCounts = {
  readonly messages: number;
  readonly messages_details: Rate;
  readonly messages_ready: number;
  readonly messages_ready_details: Rate;
  readonly messages_unacknowledged: number;
  readonly messages_unacknowledged_details: Rate;
};

/** What happened with messages since the start of the server. */
export type MessageStats = {
  readonly publish: number;
  readonly publish_details: Rate;
  readonly deliver: number;
  readonly deliver_details: Rate;
  readonly deliver_get: number;
  readonly deliver_get_details: Rate;
  readonly ack: number;
  readonly ack_details: Rate;
  readonly redeliver: number;
  readonly redeliver_details: Rate;
};

const still: Rate = { rate: 0 };
export const noCounts: MessageCounts = {
  messages: 0,
  messages_details: still,
  messages_ready: 0,
  messages_ready_details: still,
  messages_unacknowledged: 0,
  messages_unacknowledged_details: still,
};
export const noStats: MessageStats = {
  publish: 0,
  publish_details: still,
  deliver: 0,
  deliver_details: still,
  deliver_get: 0,
  deliver_get_details: still,
  ack: 0,
  ack_details: still,
  redeliver: 0,
  redeliver_details: still,
};

/**
 * The messages of a queue: ready, or with a consumer. A message that waits for its backoff is with no
 * consumer and counts as unacknowledged.
 */
export function messagesOf(topic: Topic): {
  readonly all: number;
  readonly ready: number;
  readonly unacked: number;
} {
  const group = topic.groups.get(defaultGroup);
  if (!group) return { all: topic.durableCount, ready: topic.durableCount, unacked: 0 };
  const { durableLag, inFlight, paused } = group.info();
  const all = durableLag + inFlight;
  const ready = paused ? durableLag : Math.min(all, group.deliverable);
  return { all, ready, unacked: all - ready };
}

export function countsOf(topic: Topic): MessageCounts {
  const { all, ready, unacked } = messagesOf(topic);
  const { inPerSecond, removedPerSecond } = topic.stats();
  const group = topic.groups.get(defaultGroup)?.stats();
  const { deliveredPerSecond = 0, ackedPerSecond = 0 } = group ?? {};
  return {
    messages: all,
    messages_details: rate(inPerSecond - (group ? ackedPerSecond : removedPerSecond)),
    messages_ready: ready,
    messages_ready_details: rate(inPerSecond - deliveredPerSecond),
    messages_unacknowledged: unacked,
    messages_unacknowledged_details: rate(deliveredPerSecond - ackedPerSecond),
  };
}

export function statsOf(topic: Topic): MessageStats {
  const { published, inPerSecond } = topic.stats();
  const group = topic.groups.get(defaultGroup)?.stats();
  const delivered = group?.delivered ?? 0;
  const deliveredRate = rate(group?.deliveredPerSecond ?? 0);
  return {
    publish: published,
    publish_details: rate(inPerSecond),
    deliver: delivered,
    deliver_details: deliveredRate,
    deliver_get: delivered,
    deliver_get_details: deliveredRate,
    ack: group?.acked ?? 0,
    ack_details: rate(group?.ackedPerSecond ?? 0),
    redeliver: group?.redelivered ?? 0,
    redeliver_details: still,
  };
}

function rate(perSecond: number): Rate {
  return { rate: Math.round(perSecond * 100) / 100 };
}
