import type {
  ActiveJson,
  ConsumerJson,
  GroupDetailsJson,
  GroupJson,
  TopicDetailsJson,
  TopicJson,
} from '../../admin-api/index.ts';
import {
  type ActiveInfo,
  type ConsumerInfo,
  deadLetterNames,
  type Group,
  messagesByPriority,
  type Topic,
} from '../../broker/index.ts';
import type { OldestTimes } from './oldest-times.ts';

/** The maximum number of consumers in one answer. */
const consumersMax = 1000;

/** A topic, as lists show it. */
export async function describeTopic(topic: Topic, oldest: OldestTimes): Promise<TopicJson> {
  const { partitions, durability, retention, subjects } = topic.config;
  const stats = topic.stats();
  let outPerSecond = 0;
  for (const group of topic.groups.values()) outPerSecond += group.stats().deliveredPerSecond;
  return {
    name: topic.name,
    partitions,
    durability,
    retention,
    subjects,
    messages: stats.messages,
    bytes: stats.bytes,
    published: stats.published,
    inPerSecond: round(stats.inPerSecond),
    outPerSecond: round(outPerSecond),
    oldestAgeMs: await oldest.topicAgeMs(topic, Date.now()),
    timeToFullMs: stats.timeToFullMs ?? null,
    groups: stats.groups,
    left: stats.left,
    expiring: stats.expiring,
    deadLettered: stats.deadLettered,
    deadLettersLost: stats.deadLettersLost,
    overRate: stats.overRate,
    unique: stats.unique,
    createdMs: topic.createdMs,
  };
}

/** A topic in full: its configuration, partitions and groups. */
export async function describeTopicFully(topic: Topic, oldest: OldestTimes): Promise<TopicDetailsJson> {
  return {
    ...(await describeTopic(topic, oldest)),
    config: topic.config,
    messagesByPriority: messagesByPriority(topic) ?? null,
    partitionList: topic.partitions.indexes().map((index) => {
      const partition = topic.partitions.ifOpened(index); // a partition that is not opened is empty
      return {
        index,
        firstOffset: partition?.firstOffset ?? 0,
        nextOffset: partition?.nextOffset ?? 0,
        durableEnd: partition?.durableEnd ?? 0,
        messages: partition?.durableCount ?? 0,
        bytes: partition?.durableBytes ?? 0,
        deleted: partition?.deletedCount ?? 0,
        keys: topic.config.keyState ? (partition?.keyCount ?? 0) : null,
      };
    }),
    groupList: await Promise.all([...topic.groups.values()].map((group) => describeGroup(group, oldest))),
  };
}

/** A group, as lists show it. */
export async function describeGroup(group: Group, oldest: OldestTimes): Promise<GroupJson> {
  const info = group.info();
  const stats = group.stats();
  return {
    topic: group.topic.name,
    name: group.name,
    durable: group.config.durable,
    consumers: info.consumers,
    lag: info.durableLag,
    inFlight: info.inFlight,
    redelivered: info.redelivered,
    delivered: stats.delivered,
    acked: stats.acked,
    expired: stats.expired,
    inPerSecond: round(stats.inPerSecond),
    outPerSecond: round(stats.deliveredPerSecond),
    ackedPerSecond: round(stats.ackedPerSecond),
    oldestAgeMs: await oldest.groupAgeMs(group),
    timeToEmptyMs: stats.timeToEmptyMs ?? null,
    paused: info.paused,
    pausedUntilMs: info.pausedUntilMs ?? null,
    heldUntilMs: info.heldUntilMs ?? null,
    keysHeld: info.keysHeld,
    throttledMs: Math.round(info.throttledMs),
    cursor: info.cursor,
    ackFloor: info.ackFloor,
    lastDeliveredMs: info.lastDeliveredMs ?? null,
    lastAckMs: info.lastAckMs ?? null,
    deadLetter: deadLetterNames(group)[0] ?? null,
    createdMs: group.createdMs,
  };
}

export async function describeGroupFully(group: Group, oldest: OldestTimes): Promise<GroupDetailsJson> {
  return {
    ...(await describeGroup(group, oldest)),
    config: group.config,
    active: group.active ? describeActive(group.active) : null,
    consumerList: group.listConsumers().slice(0, consumersMax).map(describeConsumer),
  };
}

function describeActive({ label, member, connection, sinceMs }: ActiveInfo): ActiveJson {
  return { label: label ?? null, member: member ?? null, connection: connection ?? null, sinceMs };
}

function describeConsumer(consumer: ConsumerInfo): ConsumerJson {
  const { label, connection, member, priority, active, exclusive, credit, held, heldSinceMs } = consumer;
  return {
    label: label ?? null,
    connection: connection ?? null,
    member: member ?? null,
    priority,
    active,
    exclusive,
    credit: Number.isFinite(credit) ? credit : null,
    held,
    heldSinceMs: heldSinceMs ?? null,
  };
}

function round(perSecond: number): number {
  return Math.round(perSecond * 100) / 100;
}
