import type { Header } from '../../log/index.ts';
import type { Topic } from './topic.ts';

/** A delayed message that was read back: its due time, its future place, and copies of its parts. */
export interface DelayedMessage {
  /** Its offset in the delay log: unique, and ascending in the order of publishes. */
  readonly id: number;
  /** When it is published, in milliseconds since the epoch. */
  readonly dueMs: number;
  readonly topic: string;
  readonly partition: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly value: Uint8Array | null;
  /** When it was handed in, in milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Bytes of key, headers and value. */
  readonly bytes: number;
  /** The priority that it will have. */
  readonly priority: number;
}

/** Which delayed messages to list. */
export interface DelayedQuery {
  /** Absent: of all topics. */
  readonly topic?: Topic;
  /** Messages with higher ids; absent: from the lowest id on. */
  readonly after?: number | undefined;
  readonly limit: number;
  /** A subject pattern over the key. */
  readonly filter?: string;
}

export interface DelayedPage {
  readonly messages: readonly DelayedMessage[];
  /** The `after` of the next page; absent: this page is the last. */
  readonly next?: number;
}
