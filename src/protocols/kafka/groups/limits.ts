import type { KafkaSettings } from '../kafka-settings.ts';

/** The default of a group config, and the range that a group's own config may choose from. */
export interface Bounds {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** The limits and times of Kafka groups, with Kafka's names where they exist. Times are in milliseconds. */
export interface GroupLimits {
  /** Members of one group (Kafka: group.max.size). */
  readonly membersMax: number;
  /** Bytes of the protocols of one member, names and metadata together. */
  readonly memberMetadataBytesMax: number;
  /** Bytes of the members of one group in memory: metadata and assignments. */
  readonly groupMetadataBytesMax: number;
  /** Characters of the metadata committed with an offset (Kafka: offset.metadata.max.bytes). */
  readonly offsetMetadataMax: number;
  /** Topics that a member may name, and topics that its pattern may match. */
  readonly memberTopicsMax: number;
  readonly sessionTimeoutMsMin: number;
  readonly sessionTimeoutMsMax: number;
  readonly rebalanceTimeoutMsMax: number;
  /**
   * Time that the first generation of an empty group waits for more members. Each new member restarts it
   * (Kafka: group.initial.rebalance.delay.ms).
   */
  readonly initialRebalanceDelayMs: number;
  /** Longest time that a new member waits for its first generation. */
  readonly newMemberJoinTimeoutMs: number;
  /** Time that offsets of a group without members are kept (Kafka: offsets.retention.minutes). */
  readonly offsetsRetentionMs: number;
  /** Heartbeat interval for members of KIP-848 groups. */
  readonly consumerHeartbeatMs: Bounds;
  /** Session timeout of members of KIP-848 groups: they are removed after this time without a heartbeat. */
  readonly consumerSessionMs: Bounds;
  /** Heartbeat interval and session timeout of share groups. */
  readonly shareHeartbeatMs: Bounds;
  readonly shareSessionMs: Bounds;
  /** Time after which an acquired record goes back to its group. */
  readonly shareLockMs: Bounds;
  /** Number of deliveries after which a record becomes a dead letter. */
  readonly shareDeliveries: Bounds;
  /** Records of one partition that may be acquired at once. */
  readonly shareRecordLocks: Bounds;
  /** Share sessions of one connection. */
  readonly shareSessionsMax: number;
  /** Partitions in one share session. */
  readonly shareSessionPartitionsMax: number;
  /** Most records that one share fetch returns, whatever the client asks for. */
  readonly shareFetchRecordsMax: number;
  /** Most bytes of records that one share fetch returns, except for a first record that is larger. */
  readonly shareFetchBytesMax: number;
  /** Longest wait of a share fetch. */
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
