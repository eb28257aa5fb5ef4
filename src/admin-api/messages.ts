/** How to show a value: `auto` is text if the value is valid UTF-8, and base64 otherwise. */
export type ValueForm = 'auto' | 'utf8' | 'json' | 'base64';

/** A stored message. */
export interface MessageJson {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  /** The timestamp in ISO 8601. */
  readonly time: string;
  readonly key: string | null;
  readonly keyEncoding: 'utf8' | 'base64' | null;
  readonly headers: readonly HeaderJson[];
  /** A string unless `encoding` is `json`; null for a message without a value. */
  readonly value: unknown;
  readonly encoding: 'utf8' | 'json' | 'base64' | null;
  readonly valueBytes: number;
  /** Whether the value is longer than requested, and is cut. */
  readonly truncated: boolean;
  /** When it expires; absent if it does not, or in other lists than those of the messages of a topic. */
  readonly expiresMs?: number;
}

export interface HeaderJson {
  readonly name: string;
  readonly value: string | null;
  /** Absent: text. */
  readonly encoding?: 'base64';
}

/** A page of messages. */
export interface MessagesJson<M extends MessageJson = MessageJson> {
  readonly messages: readonly M[];
  /** The start of the next page. */
  readonly cursor: string;
  /** Whether all messages that are stored now have been read. */
  readonly atEnd: boolean;
}

/** How far the groups of a topic are with one message. */
export interface MessageGroupsJson {
  readonly groups: readonly MessageGroupJson[];
}

export interface MessageGroupJson {
  readonly name: string;
  /** Not delivered yet, delivered and not done (also: waits for its next delivery), or done. */
  readonly state: 'waiting' | 'in-flight' | 'done';
}

/** A message to publish. */
export interface MessageToPublishJson {
  /** Only for a publish to a topic. The key of a publish to a subject is the subject. */
  readonly key?: string | null;
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  readonly value?: unknown;
  /** Default: `utf8` for a text, `json` for anything else. */
  readonly encoding?: 'utf8' | 'json' | 'base64';
  readonly partition?: number;
  readonly dedupeId?: string;
  readonly delayMs?: number;
  /** Milliseconds since the epoch, or ISO 8601. */
  readonly deliverAtMs?: number | string;
  /** The message expires so many milliseconds after it enters its topic. */
  readonly ttlMs?: number;
  readonly priority?: number;
  readonly unique?: UniqueKeyJson;
}

/** At most one message of this key waits in the topic; docs/unique.md has the modes. */
export interface UniqueKeyJson {
  readonly key: string;
  readonly mode: 'ignore' | 'replace' | 'debounce' | 'throttle';
  readonly windowMs?: number;
}

export interface PublishJson {
  readonly messages: readonly MessageToPublishJson[];
}

/** The result of one published message. */
export interface PublishedJson {
  /** Null if no topic stores it. */
  readonly topic: string | null;
  readonly partition: number | null;
  /** Null for a delayed message, which has no offset until it is due. */
  readonly offset: number | null;
  /** The id of a delayed message. Absent: it is not delayed. */
  readonly delayedId?: number;
  readonly duplicate: boolean;
  /** Only for a message with a unique key. `ignored`: the rest is about the earlier message. */
  readonly outcome?: 'stored' | 'ignored' | 'replaced';
  /** The number of live subscribers that got it; null for a publish by topic name. */
  readonly receivers: number | null;
}

/** In the order of the messages that were sent. */
export interface PublishResultsJson {
  readonly results: readonly PublishedJson[];
}
