import type { GroupJson } from './groups.ts';

/** A topic, as lists show it. */
export interface TopicJson {
  readonly name: string;
  readonly partitions: number;
  readonly durability: TopicConfigJson['durability'];
  readonly retention: TopicConfigJson['retention'];
  readonly subjects: readonly string[];
  readonly messages: number;
  readonly bytes: number;
  readonly published: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  /** Null if it has no message. */
  readonly oldestAgeMs: number | null;
  /** Time until its limits are reached; null if they are not getting closer. */
  readonly timeToFullMs: number | null;
  readonly groups: number;
  /** Messages with a time to live of their own; some of them may be gone already. */
  readonly expiring: number;
  /** Messages since the start that left without an answer from a group, by cause. */
  readonly left: { readonly overflow: number; readonly expired: number; readonly removed: number };
  readonly deadLettered: number;
  readonly deadLettersLost: number;
  /** Publishes since the start beyond the topic's rate: those that were refused, and that had to wait. */
  readonly overRate: { readonly refused: number; readonly waited: number };
  /** Unique keys there are, and publishes since the start that were ignored or replaced an earlier one. */
  readonly unique: { readonly keys: number; readonly ignored: number; readonly replaced: number };
  readonly createdMs: number;
}

export interface TopicsJson {
  readonly topics: readonly TopicJson[];
}

/** A topic in full. */
export interface TopicDetailsJson extends TopicJson {
  readonly config: TopicConfigJson;
  /** Number of messages of each priority from 0 on; null if the topic has no priorities. */
  readonly messagesByPriority: readonly number[] | null;
  readonly partitionList: readonly PartitionJson[];
  readonly groupList: readonly GroupJson[];
}

export interface PartitionJson {
  readonly index: number;
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly durableEnd: number;
  readonly messages: number;
  readonly bytes: number;
  readonly deleted: number;
  /** The number of distinct keys; null if the topic does not keep them. */
  readonly keys: number | null;
}

/** The configuration of a topic. Limits that are absent do not apply. docs/configuration.md has the units. */
export interface TopicConfigJson {
  readonly name: string;
  readonly partitions: number;
  readonly subjects: readonly string[];
  readonly durability: 'disk' | 'memory';
  readonly retention: 'limits' | 'queue' | 'interest';
  readonly messagesMax?: number;
  readonly bytesMax?: number;
  readonly ageMsMax?: number;
  readonly messagesPerKeyMax?: number;
  readonly messageBytesMax?: number;
  readonly groupsMax?: number;
  /** Number of levels of priority. */
  readonly priorities?: number;
  readonly ageingMs?: number;
  readonly overflow: 'drop-oldest' | 'reject' | 'wait';
  readonly overflowPerKey: 'drop-oldest' | 'reject';
  readonly publishRate?: RateJson;
  readonly overRate?: 'reject' | 'wait';
  readonly dedupeWindowMs: number;
  readonly dedupeEntriesMax: number;
  readonly timestamps?: 'append';
  readonly ageFrom?: 'timestamp';
  /** A message that is published for a key when its last message has expired. */
  readonly expiryMarker?: {
    readonly ttlMs: number;
    readonly headers: readonly (readonly [name: string, value: string])[];
    /** Headers by which other messages count as markers. */
    readonly alsoMarks?: readonly (readonly [name: string, value: string])[];
  };
  readonly keyState: boolean;
  readonly compaction: boolean;
  readonly sealed: boolean;
  readonly deadLetter?: DeadLetterPolicyJson;
  /** Facts that protocols keep about the topic, by protocol. */
  readonly attributes: { readonly [protocol: string]: unknown };
}

/** So many messages a second, and up to `burst` of them at once. */
export interface RateJson {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * The destination of messages that are given up or dropped. docs/dead-letters.md has the causes and the
 * limits.
 */
export interface DeadLetterPolicyJson {
  readonly to?: string | readonly string[] | { readonly route: string };
  readonly causes?: readonly string[];
  readonly limits?: {
    readonly messagesMax?: number;
    readonly bytesMax?: number;
    readonly ageMsMax?: number;
    readonly overflow?: 'drop-oldest' | 'reject';
  };
}

/** `attributes` belong to the protocols and cannot be given here. */
export type TopicToCreateJson = { readonly name: string } & Partial<Omit<TopicConfigJson, 'attributes'>>;

/**
 * Settings of a topic to change; those that are absent stay, and null takes a limit away or brings the
 * default back.
 */
export type TopicToUpdateJson = {
  readonly [K in Exclude<keyof TopicConfigJson, 'name' | 'attributes'>]?: TopicConfigJson[K] | null;
};

export interface TopicDeletedJson {
  /** The name of the topic. */
  readonly deleted: string;
  readonly messages: number;
}

/** The messages to delete; absent fields: no restriction. */
export interface PurgeJson {
  /** A pattern of keys. */
  readonly key?: string;
  /** Only messages below this offset. */
  readonly before?: number;
  /** How many of the newest stay. */
  readonly keep?: number;
  readonly partition?: number;
}

export interface PurgedJson {
  readonly purged: number;
}
