/** What the command line reads of the admin HTTP's answers; docs/admin-api.md has all fields. */

export interface TopicJson {
  readonly name: string;
  readonly partitions: number;
  readonly durability: string;
  readonly retention: string;
  readonly subjects: readonly string[];
  readonly messages: number;
  readonly bytes: number;
  readonly groups: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly oldestAgeMs: number | null;
  readonly timeToFullMs: number | null;
  readonly left: { readonly overflow: number; readonly expired: number; readonly removed: number };
  readonly deadLettered: number;
  readonly deadLettersLost: number;
}

export interface TopicDetailsJson extends TopicJson {
  readonly createdMs: number;
  readonly config: { readonly [name: string]: unknown };
  readonly partitionList: readonly {
    readonly index: number;
    readonly firstOffset: number;
    readonly nextOffset: number;
    readonly messages: number;
    readonly bytes: number;
  }[];
  readonly groupList: readonly GroupJson[];
}

export interface GroupJson {
  readonly topic: string;
  readonly name: string;
  readonly durable: boolean;
  readonly consumers: number;
  readonly lag: number;
  readonly inFlight: number;
  readonly redelivered: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly oldestAgeMs: number | null;
  readonly timeToEmptyMs: number | null;
  readonly paused: boolean;
  readonly pausedUntilMs: number | null;
}

export interface MessageJson {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly time: string;
  readonly key: string | null;
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
  readonly value: unknown;
  readonly encoding: 'utf8' | 'json' | 'base64' | null;
  readonly valueBytes: number;
  readonly truncated: boolean;
}

export interface MessagesJson {
  readonly messages: readonly MessageJson[];
  /** Where the next request goes on. */
  readonly cursor: string;
  /** Whether everything that is stored now has been looked at. */
  readonly atEnd: boolean;
}

export interface DeadLetterJson extends MessageJson {
  readonly origin: {
    readonly topic: string | null;
    readonly group: string | null;
    readonly partition: number | null;
    readonly offset: number | null;
  };
  readonly cause: string | null;
  readonly deliveries: number | null;
  readonly deadLetteredTime: string | null;
}

export interface DeadLetterTopicJson {
  readonly topic: string;
  readonly messages: number;
  readonly bytes: number;
  readonly oldestAgeMs: number | null;
  readonly groups: readonly { readonly topic: string; readonly group: string }[];
}

/** What became of a redrive: what its topic refused stayed. */
export interface RedrivenJson {
  readonly redriven: number;
  readonly stayed: readonly {
    readonly topic: string;
    readonly code: string;
    readonly message: string;
    readonly count: number;
  }[];
}

export interface PublishedJson {
  readonly topic: string | null;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly duplicate: boolean;
  /** Live subscribers that got it; null for a publish by topic name. */
  readonly receivers: number | null;
}

export interface ConnectionJson {
  readonly id: number;
  readonly protocol: string;
  readonly address: string;
  readonly name: string;
  readonly user: string | null;
  readonly software: string;
  readonly version: string;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly pendingBytes: number;
}

export interface ServerJson {
  readonly version: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly dataDirectory: string;
  readonly host: string;
  readonly ports: { readonly [protocol: string]: number };
  readonly connections: number;
  readonly memory: { readonly rssBytes: number };
  readonly health: {
    readonly ready: boolean;
    readonly diskFull: boolean;
    readonly memoryFull: boolean;
    readonly failed: string | null;
    readonly damage: readonly unknown[];
  };
  readonly stats: { readonly diskTimeToFullMs?: number };
}
