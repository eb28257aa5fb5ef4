import type { HeaderJson } from './messages.ts';

/** A delayed message: it waits for its time, and has no offset yet. */
export interface DelayedMessageJson {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly dueMs: number;
  /** The due time in ISO 8601. */
  readonly dueTime: string;
  /** When it was published, in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly key: string | null;
  readonly keyEncoding: 'utf8' | 'base64' | null;
  readonly headers: readonly HeaderJson[];
  /** A string unless `encoding` is `json`; null for a message without a value. */
  readonly value: unknown;
  readonly encoding: 'utf8' | 'json' | 'base64' | null;
  readonly valueBytes: number;
  /** Whether the value is longer than requested, and is cut. */
  readonly truncated: boolean;
}

/** A page of delayed messages, in the order in which they were published. */
export interface DelayedMessagesJson {
  readonly messages: readonly DelayedMessageJson[];
  /** The `after` of the next page; null: this page is the last. */
  readonly next: number | null;
}

/** Which delayed messages of the topic: by ids, or all whose key matches a subject pattern. */
export interface DelayedSelectionJson {
  readonly ids?: readonly number[];
  readonly key?: string;
}

/** {@link DelayedSelectionJson}, and the new time: one of both. */
export interface DelayedMoveJson extends DelayedSelectionJson {
  readonly delayMs?: number;
  /** Milliseconds since the epoch, or ISO 8601. */
  readonly deliverAtMs?: number | string;
}

/** How many of the messages still waited, and were moved, cancelled or published. */
export interface DelayedChangedJson {
  readonly count: number;
}
