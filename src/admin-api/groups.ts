import type { DeadLetterPolicyJson, RateJson } from './topics.ts';

/** A group, as lists show it. */
export interface GroupJson {
  readonly topic: string;
  readonly name: string;
  readonly durable: boolean;
  readonly consumers: number;
  readonly lag: number;
  /** Delivered and not done, including messages that wait for their redelivery. */
  readonly inFlight: number;
  readonly redelivered: number;
  readonly delivered: number;
  readonly acked: number;
  /** Messages since the start that were too old for the group (`messageTtlMs`). */
  readonly expired: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly ackedPerSecond: number;
  /** Null if all messages are done. */
  readonly oldestAgeMs: number | null;
  /** Null if the lag does not shrink. */
  readonly timeToEmptyMs: number | null;
  readonly paused: boolean;
  readonly pausedUntilMs: number | null;
  /** Until when a consumer postponed the whole group. */
  readonly heldUntilMs: number | null;
  /** Number of keys that consumers postponed. */
  readonly keysHeld: number;
  /** For how long, since the start, the group's rate kept messages back that a consumer would have taken. */
  readonly throttledMs: number;
  /** Cursor and ack floor are those of partition 0. */
  readonly cursor: number;
  readonly ackFloor: number;
  readonly lastDeliveredMs: number | null;
  readonly lastAckMs: number | null;
  /** The topic that gets its dead letters. */
  readonly deadLetter: string | null;
  readonly createdMs: number;
}

export interface GroupsJson {
  readonly groups: readonly GroupJson[];
}

/** A group in full. */
export interface GroupDetailsJson extends GroupJson {
  readonly config: GroupConfigJson;
  /** The active consumer; null if there is none yet, or if all consumers get messages. */
  readonly active: ActiveJson | null;
  /** Its consumers in the order of their arrival, the first 1,000. */
  readonly consumerList: readonly ConsumerJson[];
}

/** The active consumer of a group with a single one. */
export interface ActiveJson {
  readonly label: string | null;
  readonly member: string | null;
  readonly connection: number | null;
  /** Since when it is the active one. */
  readonly sinceMs: number;
}

/** A consumer of a group, and the messages that it holds. */
export interface ConsumerJson {
  /** The client's name for it: a member, a deliver subject, the inbox of a pull. */
  readonly label: string | null;
  /** The id of its connection; null for a consumer without one. */
  readonly connection: number | null;
  /** The client that it belongs to, with others of the same name; null if it is a client by itself. */
  readonly member: string | null;
  /** Higher goes first. */
  readonly priority: number;
  /** False if another consumer is the active one of the group. */
  readonly active: boolean;
  /** Whether it keeps others from the group. */
  readonly exclusive: boolean;
  /** How many messages it would take now; null for any number. */
  readonly credit: number | null;
  /** Messages that it got and has not answered. */
  readonly held: number;
  /** The time of the oldest of these deliveries. */
  readonly heldSinceMs: number | null;
}

/** The configuration of a group. */
export interface GroupConfigJson {
  readonly name: string;
  readonly durable: boolean;
  readonly filters: readonly string[];
  readonly start: {
    readonly kind: string;
    readonly offset?: number;
    readonly timestampMs?: number;
    readonly beyondEnd?: boolean;
  };
  readonly ack: 'explicit' | 'all' | 'none';
  readonly ackWaitMs: number;
  readonly backoffMs: readonly number[];
  readonly backoffMeans: 'wait' | 'deadline';
  readonly backoffJitter: number;
  readonly redeliverAfterRestart: 'at-once' | 'at-deadline';
  readonly maxDeliver?: number;
  readonly messageTtlMs?: number;
  readonly maxInFlight?: number;
  readonly concurrency?: number;
  readonly rate?: RateJson;
  readonly deadLetter?: string | DeadLetterPolicyJson;
  readonly ordering: 'none' | 'key';
  readonly keyRunMax?: number;
  readonly keysPerConsumerMax?: number;
  readonly keyConcurrency?: number;
  readonly keyRate?: RateJson;
  readonly heldMax?: number;
  readonly activeConsumers?: 'all' | 'single';
  readonly activeSilenceMs?: number;
  /** Absent: messages with a higher priority go first. */
  readonly priority?: 'honour' | 'ignore';
  readonly positions?: 'committed';
  readonly paused: boolean;
  readonly pausedUntilMs?: number;
  readonly inactiveMs?: number;
  /** Facts that protocols keep about the group, by protocol. */
  readonly attributes: { readonly [protocol: string]: unknown };
}

/** A group to create. A group of JetStream, Kafka or AMQP is better made by its own clients. */
export type GroupToCreateJson = { readonly name: string } & Partial<
  Omit<GroupConfigJson, 'name' | 'start' | 'positions' | 'paused' | 'pausedUntilMs' | 'attributes'>
> & { readonly start?: GroupStartJson };

/**
 * Settings of a group to change; those that are absent stay, and null takes a limit away or brings the
 * default back. A group keeps its start, ack policy, ordering and durability for life.
 */
export type GroupToUpdateJson = {
  readonly [
    K in Exclude<
      keyof GroupConfigJson,
      | 'name'
      | 'start'
      | 'ack'
      | 'ordering'
      | 'durable'
      | 'positions'
      | 'paused'
      | 'pausedUntilMs'
      | 'attributes'
    >
  ]?: GroupConfigJson[K] | null;
};

/** Limits of a group to change; null: no limit, or the default. */
export interface GroupLimitsJson {
  readonly maxInFlight?: number | null;
  readonly concurrency?: number | null;
  readonly rate?: RateJson | null;
  readonly keyRunMax?: number | null;
  readonly keysPerConsumerMax?: number | null;
  readonly keyConcurrency?: number | null;
  readonly keyRate?: RateJson | null;
  readonly heldMax?: number | null;
}

/** How long to pause; absent: until it is resumed. */
export interface PauseJson {
  readonly forMs?: number;
  /** Milliseconds since the epoch, or ISO 8601. */
  readonly untilMs?: number | string;
}

/** The new position of a group. */
export interface ResetJson {
  readonly start: GroupStartJson;
}

export interface GroupStartJson {
  readonly kind: 'all' | 'new' | 'last' | 'last-per-key' | 'offset' | 'time';
  /** Only with the start `offset`. */
  readonly offset?: number;
  /** Only with the start `time`: milliseconds since the epoch, or ISO 8601. */
  readonly timestampMs?: number | string;
}

/** What a reset would do. Counts are null if they would take a look at every key. */
export interface SeekPreviewJson {
  /** Messages that were delivered already and come again. */
  readonly again: number | null;
  /** Messages that were not delivered yet and are passed over. */
  readonly passed: number | null;
  /** Messages from the new position on. */
  readonly after: number | null;
  /** The group has a filter: counts include messages that it does not take. */
  readonly isUpperBound: boolean;
}

export interface GroupDeletedJson {
  /** The name of the group. */
  readonly deleted: string;
  readonly topic: string;
}
