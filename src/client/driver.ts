import type { Header } from '../broker/index.ts';
import type { Capabilities } from './features.ts';
import type { GroupPlan, GroupSettings } from './group-settings.ts';
import type { TopicSettings } from './topic-settings.ts';

// A driver speaks to one kind of target in the client's words. Everything that can be the same on all targets
// is above it: values, handlers, concurrency, the wait before a retry, the window of publishes.

export interface Driver {
  /** The target as errors name it, without credentials: `nats://127.0.0.1:4222`. */
  readonly target: string;
  readonly capabilities: Capabilities;
  /** Opens a topic, or creates it. Settings that are given change an existing one, the others stay. */
  declareTopic(topic: string, settings: TopicSettings): Promise<void>;
  /** The same for a group; resolves to the settings in force. */
  declareGroup(topic: string, group: string, settings: GroupSettings): Promise<GroupPlan>;
  /**
   * Publishes; resolves once the target has the message for good. A driver that loses its connection sends it
   * again by itself, with the same id.
   */
  publish(topic: string, message: OutgoingMessage): Promise<Published>;
  /** Publishes all or none; absent: the target cannot. */
  publishBatch?(topic: string, messages: readonly OutgoingMessage[]): Promise<Published[]>;
  /** Becomes a consumer of the group, which receives as many messages as it asked for. */
  consume(group: GroupPlan, sink: DeliverySink): Puller;
  /** Absent: the target cannot tell. */
  lag?(group: GroupPlan): Promise<Lag>;
  /** Resolves once no message of the group is left; absent: the client looks at its lag. */
  drained?(group: GroupPlan, signal: AbortSignal | undefined): Promise<void>;
  letters(topic: string): LetterStore;
  /** Gives everything sent so far to the target, and ends the connection. */
  close(): Promise<void>;
}

/** A message to publish, its value encoded. */
export interface OutgoingMessage {
  /** The identity of the message: the dedupe id that the program gave, or a random one. */
  readonly id: string;
  /** Whether the program gave the id: the target is to remember it. */
  readonly dedupes: boolean;
  readonly key: string | undefined;
  readonly headers: readonly Header[];
  readonly value: Uint8Array | string;
  /** When it becomes visible, in milliseconds since the epoch. */
  readonly deliverAtMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly priority: number | undefined;
}

export interface Published {
  /** The target had a message with this dedupe id already: nothing was stored. */
  readonly duplicate: boolean;
  /** The identity of the message. */
  readonly id: string;
  /** Number of the message in its partition; -1 where the target does not say. */
  readonly offset: number;
  readonly partition: number;
}

/** A stored message as a target gives it, its value still encoded. */
export interface StoredMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  readonly key: string | undefined;
  readonly headers: readonly Header[];
  readonly bytes: Uint8Array | null;
  readonly timestampMs: number;
}

/** How a delivery is settled. */
export type Answer =
  | { readonly kind: 'ack' }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  /** Given up: its handler said so, or it failed too often and the target does not count failures. */
  | { readonly kind: 'dead'; readonly cause: 'rejected' | 'max-deliveries'; readonly reason: string }
  /** Not handled: its consumer closes. */
  | { readonly kind: 'release' }
  /** Not handled: its handler said "not now". */
  | { readonly kind: 'postpone'; readonly delayMs: number };

/** A message delivered to a consumer, not settled yet. */
export interface Incoming {
  readonly message: StoredMessage;
  /** 1 for the first delivery. */
  readonly deliveries: number;
  /**
   * Settles it. With `confirm` it resolves to whether the target took the answer; without, at once. Rejects
   * if an answer of several steps failed at one of them.
   */
  settle(answer: Answer, confirm: boolean): Promise<boolean>;
  /** Starts the time to answer again. */
  extend(): void;
}

/** Takes the deliveries of a consumer. */
export interface DeliverySink {
  received(incoming: Incoming): void;
  /** Nothing more will come: the group is gone, or the client was closed. */
  ended(reason: Error): void;
  /** Something went wrong that the driver tries again by itself. */
  failed(error: Error): void;
}

/** A consumer at the target. */
export interface Puller {
  /** Asks for `count` messages more. */
  ask(count: number): void;
  /** Asks for none any more; deliveries that were received may still be settled. */
  close(): Promise<void>;
}

export interface Lag {
  /** Messages to be delivered for the first time. */
  readonly lag: number;
  /** Messages delivered and not done. */
  readonly inFlight: number;
}

/** A dead letter: the message that was given up, and its story. */
export interface StoredLetter {
  readonly message: StoredMessage;
  readonly origin: Origin;
}

/** Where a dead letter comes from, and why it is one. */
export interface Origin {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly offset: number;
  /** `rejected: …` or `max-deliveries: …`, with the reason that the handler gave. */
  readonly cause: string;
  readonly deliveries: number;
  /** RFC 3339; empty where the target does not say. */
  readonly firstTime: string;
  readonly time: string;
}

/** A topic of dead letters. */
export interface LetterStore {
  count(): Promise<number>;
  browse(signal?: AbortSignal): AsyncIterable<StoredLetter>;
  /** Puts the oldest back, at most `limit`; resolves to how many. */
  redrive(limit: number): Promise<number>;
  /** Resolves to how many were deleted. */
  purge(): Promise<number>;
}
