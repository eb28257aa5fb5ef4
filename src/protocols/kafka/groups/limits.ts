import type { KafkaSettings } from '../kafka-settings.ts';

/** What applies to a group that says nothing, and what it may choose by its configs. */
export interface Bounds {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The limits and times of Kafka groups, as Kafka names them where it has a name. Times are in milliseconds.
 */
export interface GroupLimits {
  /** Members of one group (Kafka: group.max.size). */
  readonly membersMax: number;
  /** Bytes that the protocols of one member may have, names and metadata together. */
  readonly memberMetadataBytesMax: number;
  /** Bytes that the members of one group may have in memory: metadata and assignments. */
  readonly groupMetadataBytesMax: number;
  /** Characters of the text that is committed with an offset (Kafka: offset.metadata.max.bytes). */
  readonly offsetMetadataMax: number;
  /** Topics that a member may name, and topics that a subscription by expression may match. */
  readonly memberTopicsMax: number;
  readonly sessionTimeoutMsMin: number;
  readonly sessionTimeoutMsMax: number;
  readonly rebalanceTimeoutMsMax: number;
  /**
   * The first generation of an empty group waits so long for more members; each that comes begins it again
   * (Kafka: group.initial.rebalance.delay.ms).
   */
  readonly initialRebalanceDelayMs: number;
  /** A member that is new waits so long at most for the generation it is to be part of. */
  readonly newMemberJoinTimeoutMs: number;
  /** Offsets of a group without members are kept so long (Kafka: offsets.retention.minutes). */
  readonly offsetsRetentionMs: number;
  /** Members of KIP-848 groups are told to send heartbeats so often. */
  readonly consumerHeartbeatMs: Bounds;
  /** Members of KIP-848 groups are gone when nothing was heard of them for so long. */
  readonly consumerSessionMs: Bounds;
  /** The same of share groups. */
  readonly shareHeartbeatMs: Bounds;
  readonly shareSessionMs: Bounds;
  /** A record that was acquired goes back after so long. */
  readonly shareLockMs: Bounds;
  /** Deliveries of one record before it is a dead letter. */
  readonly shareDeliveries: Bounds;
  /** Records of one partition that may be acquired at once. */
  readonly shareRecordLocks: Bounds;
  /** Share sessions of one connection. */
  readonly shareSessionsMax: number;
  /** Partitions in one share session. */
  readonly shareSessionPartitionsMax: number;
  /** Records that one share fetch hands out at most, whatever the client asks for. */
  readonly shareFetchRecordsMax: number;
  /** Bytes of records that one share fetch hands out at most, but for a first record that is larger. */
  readonly shareFetchBytesMax: number;
  /** A share fetch waits so long at most. */
  readonly shareFetchWaitMsMax: number;
}

const minute = 60_000;
const day = 24 * 60 * minute;

export const defaultGroupLimits: GroupLimits = {
  membersMax: 5000,
  memberMetadataBytesMax: 1024 * 1024,
  groupMetadataBytesMax: 64 * 1024 * 1024,
  offsetMetadataMax: 4096,
  memberTopicsMax: 10_000,
  sessionTimeoutMsMin: 6000,
  sessionTimeoutMsMax: 30 * minute,
  rebalanceTimeoutMsMax: day,
  initialRebalanceDelayMs: 0,
  newMemberJoinTimeoutMs: 5 * minute,
  offsetsRetentionMs: 7 * day,
  consumerHeartbeatMs: { default: 5000, min: 5000, max: 15_000 },
  consumerSessionMs: { default: 45_000, min: 45_000, max: 60_000 },
  shareHeartbeatMs: { default: 5000, min: 5000, max: 15_000 },
  shareSessionMs: { default: 45_000, min: 45_000, max: 60_000 },
  shareLockMs: { default: 30_000, min: 15_000, max: 60_000 },
  shareDeliveries: { default: 5, min: 2, max: 10 },
  shareRecordLocks: { default: 2000, min: 100, max: 4000 },
  shareSessionsMax: 100,
  shareSessionPartitionsMax: 10_000,
  shareFetchRecordsMax: 2000,
  shareFetchBytesMax: 16 * 1024 * 1024,
  shareFetchWaitMsMax: 5 * minute,
};

export function groupLimits(limits: Partial<GroupLimits> = {}): GroupLimits {
  return { ...defaultGroupLimits, ...limits };
}

/** The limits that can be set by Kafka's names. */
export function limitsOfSettings(settings: KafkaSettings): Partial<GroupLimits> {
  return {
    membersMax: settings['group.max.size'],
    offsetMetadataMax: settings['offset.metadata.max.bytes'],
    offsetsRetentionMs: settings['offsets.retention.minutes'] * minute,
    initialRebalanceDelayMs: settings['group.initial.rebalance.delay.ms'],
    sessionTimeoutMsMin: settings['group.min.session.timeout.ms'],
    sessionTimeoutMsMax: settings['group.max.session.timeout.ms'],
    consumerHeartbeatMs: {
      default: settings['group.consumer.heartbeat.interval.ms'],
      min: settings['group.consumer.min.heartbeat.interval.ms'],
      max: settings['group.consumer.max.heartbeat.interval.ms'],
    },
    consumerSessionMs: {
      default: settings['group.consumer.session.timeout.ms'],
      min: settings['group.consumer.min.session.timeout.ms'],
      max: settings['group.consumer.max.session.timeout.ms'],
    },
    shareHeartbeatMs: {
      default: settings['group.share.heartbeat.interval.ms'],
      min: settings['group.share.min.heartbeat.interval.ms'],
      max: settings['group.share.max.heartbeat.interval.ms'],
    },
    shareSessionMs: {
      default: settings['group.share.session.timeout.ms'],
      min: settings['group.share.min.session.timeout.ms'],
      max: settings['group.share.max.session.timeout.ms'],
    },
    shareLockMs: {
      default: settings['group.share.record.lock.duration.ms'],
      min: settings['group.share.min.record.lock.duration.ms'],
      max: settings['group.share.max.record.lock.duration.ms'],
    },
    shareDeliveries: {
      default: settings['group.share.delivery.count.limit'],
      min: settings['group.share.min.delivery.count.limit'],
      max: settings['group.share.max.delivery.count.limit'],
    },
    shareRecordLocks: {
      default: settings['group.share.partition.max.record.locks'],
      min: settings['group.share.min.partition.max.record.locks'],
      max: settings['group.share.max.partition.max.record.locks'],
    },
  };
}
