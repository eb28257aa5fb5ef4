/** The limits and times of Kafka groups, as Kafka names them where it has a name. Times are in milliseconds. */
export interface GroupLimits {
  /** Groups with members at one time. */
  readonly groupsMax: number;
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
  /** The first generation of an empty group waits so long for more members; each that comes begins it again (Kafka: group.initial.rebalance.delay.ms). */
  readonly initialRebalanceDelayMs: number;
  /** A member that is new waits so long at most for the generation it is to be part of. */
  readonly newMemberJoinTimeoutMs: number;
  /** Offsets of a group without members are kept so long (Kafka: offsets.retention.minutes). */
  readonly offsetsRetentionMs: number;
  /** Members of KIP-848 and share groups are told to send heartbeats so often. */
  readonly heartbeatIntervalMs: number;
  /** Members of KIP-848 and share groups are gone when nothing was heard of them for so long. */
  readonly sessionTimeoutMs: number;
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
  groupsMax: 20_000,
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
  heartbeatIntervalMs: 5000,
  sessionTimeoutMs: 45_000,
  shareSessionsMax: 100,
  shareSessionPartitionsMax: 10_000,
  shareFetchRecordsMax: 2000,
  shareFetchBytesMax: 16 * 1024 * 1024,
  shareFetchWaitMsMax: 5 * minute,
};

export function groupLimits(limits: Partial<GroupLimits> = {}): GroupLimits {
  return { ...defaultGroupLimits, ...limits };
}
