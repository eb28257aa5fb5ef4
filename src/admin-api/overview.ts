import type { TrackJson } from './history.ts';
import type { TopicJson } from './topics.ts';

/** The state of a broker at a glance. Figures are those of the topics that the user may see. */
export interface OverviewJson {
  readonly nowMs: number;
  readonly version: string;
  readonly startedMs: number;
  /** What is wrong, the worst first. */
  readonly findings: readonly FindingJson[];
  readonly topics: number;
  readonly groups: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  /** Messages that the slowest group of each topic has not got yet. */
  readonly backlog: number;
  /** The age of the oldest message that a group has not done. */
  readonly oldestAgeMs: number | null;
  readonly deadLetters: number;
  /** Null for users that may not manage all topics. */
  readonly server: OverviewServerJson | null;
  /** The last minutes of the rates and the backlog. */
  readonly recent: TrackJson;
}

/** The server's own figures. */
export interface OverviewServerJson {
  readonly memoryBytes: number;
  /** Publishes are refused above it. */
  readonly memoryBytesMax: number;
  readonly diskFreeBytes: number | null;
  /** Publishes are refused below it; null: the broker's default. */
  readonly diskFreeBytesMin: number | null;
  readonly diskTimeToFullMs: number | null;
  /** 99 of 100 syncs of the last minute were done in this time. */
  readonly syncP99Ms: number | null;
  readonly connections: readonly { readonly name: string; readonly connections: number }[];
}

/** Something that is wrong, with its remedy. */
export interface FindingJson {
  readonly rule: string;
  readonly level: 'error' | 'warning' | 'info';
  /** Null: the server. */
  readonly topic: string | null;
  /** Null: the topic. */
  readonly group: string | null;
  /** Since when, in milliseconds since the epoch; null if it is not known. */
  readonly since: number | null;
  readonly reason: string;
  readonly remedy: string;
}

/** A topic with its groups and its last minutes, as the dashboard shows it in a row. */
export interface TopicRowJson extends TopicJson {
  /** Messages that its slowest group has not got yet; null if it has no group. */
  readonly backlog: number | null;
  /** The groups with the most lag, four at most. */
  readonly groupsByLag: readonly GroupChipJson[];
  readonly recent: TrackJson;
}

/** A group in the row of its topic. */
export interface GroupChipJson {
  readonly name: string;
  readonly lag: number;
  readonly consumers: number;
  readonly paused: boolean;
  /** More comes in than is answered. */
  readonly grows: boolean;
}

/** A page of topics. */
export interface TopicRowsJson {
  readonly topics: readonly TopicRowJson[];
  /** Topics that the user may see. */
  readonly total: number;
  /** Those that the search finds. */
  readonly matching: number;
  /** How many of them come before this page. */
  readonly skip: number;
}
