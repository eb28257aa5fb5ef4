import type { Header, Record } from '../log/index.ts';
import type { GroupConfig } from './groups/group-config.ts';
import type { TopicConfig } from './topics/topic-config.ts';

// The model of the broker on one page: its nouns, in the order in which a newcomer needs them. The wings of
// the broker know each other by these types. The classes that implement them have more members, for their
// callers.

/**
 * A topic is a named log of messages in one or more partitions. Every message of a topic reaches every group
 * of it. See topics/topic.ts.
 */
export interface Topic {
  /** Unique in the data directory, and never given again. */
  readonly id: number;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly config: TopicConfig;
  readonly isDeleted: boolean;
  readonly partitions: {
    readonly length: number;
    /** Undefined when the topic has no partition of that index. */
    at(index: number): Partition | undefined;
  };
  readonly groups: ReadonlyMap<string, Group>;
  /** Live messages of all partitions, and their estimated bytes. */
  readonly count: number;
  readonly bytes: number;
}

/**
 * A partition is one log of a topic, and which of its messages still live. An offset counts its messages from
 * 0 and is never given again. See partitions/partition.ts.
 *
 * ```
 *   offsets   … removed │ first … live and removed mixed … │ stable end … │ durable end … │ next
 * ```
 */
export interface Partition {
  readonly topic: Topic;
  readonly index: number;
  /** The lowest live offset; {@link nextOffset} when no message lives. */
  readonly firstOffset: number;
  /** One past the last offset that readers see: durable, and of no open transaction. */
  readonly stableEnd: number;
  /** One past the last offset on disk. */
  readonly durableEnd: number;
  readonly nextOffset: number;
  /** Live messages, and their estimated bytes. */
  readonly count: number;
  readonly bytes: number;
  isLive(offset: number): boolean;
  /** One message; undefined when it was removed, or is not durable yet. */
  get(offset: number): Promise<StoredMessage | undefined>;
}

/**
 * A group is a reading position on a topic, shared by its consumers: inside a group, a message goes to one
 * consumer. The ack model stands at the top of groups/group.ts.
 */
export interface Group {
  readonly id: number;
  readonly name: string;
  readonly topic: Topic;
  readonly createdMs: number;
  readonly config: GroupConfig;
  /** It was deleted, or the broker is closed. */
  readonly isClosed: boolean;
  readonly isPaused: boolean;
  /** Messages still to deliver for the first time. */
  readonly lag: number;
  attach(consumer: Consumer): void;
  detach(consumer: Consumer, options?: DetachOptions): void;
  /** Delivers soon: a consumer has credit again. */
  wake(): void;
  /**
   * Answers to a delivery, by its message. False: it was answered before. `ack`: done. `nack`: failed, to be
   * delivered again. `reject`: never again. `giveBack`: delivered again at once, and not failed.
   */
  ack(partition: number, offset: number): boolean;
  nack(partition: number, offset: number, delayMs?: number, reason?: string): boolean;
  reject(partition: number, offset: number, reason: string): boolean;
  giveBack(partition: number, offset: number): boolean;
  /** The consumer has until so many milliseconds from now. */
  setDeadline(partition: number, offset: number, ms: number): boolean;
}

/**
 * A consumer takes messages from a group. It is an interface: a pull request is one with a finite credit, a
 * push subscription one whose credit follows its acks and its socket.
 */
export interface Consumer {
  /** How many messages it takes now; at 0 it is passed over until `group.wake()`. */
  readonly credit: number;
  /**
   * The largest message it takes now, in bytes of key, headers and value, or as {@link sizeOf} counts;
   * Infinity for any.
   */
  readonly creditBytes: number;
  /**
   * The bytes of a message as this consumer's protocol counts them. Sequence and pending of the delivery are
   * not known yet.
   */
  sizeOf?(delivery: Delivery): number;
  /** What its client calls it, for people. */
  readonly label?: string | undefined;
  /** The id of the connection that it came by. */
  readonly connection?: number | undefined;
  /**
   * How long it has for each message, in milliseconds; absent: as long as its group says. Read at each
   * delivery.
   */
  readonly ackWaitMs?: number | undefined;
  /** The partitions it takes messages of; absent: all. */
  readonly partitions?: ReadonlySet<number>;
  /**
   * Takes one delivery. Called synchronously; it may detach itself, and it must not ack or nack inside the
   * call.
   */
  receive(delivery: Delivery): void;
  /** The next message is larger than `creditBytes`; the consumer stays attached unless it detaches itself. */
  refused?(bytes: number): void;
  /** The group is gone; nothing will come any more. */
  ended(reason: ConsumerEnd): void;
}

export type ConsumerEnd = 'group-deleted' | 'topic-deleted' | 'closed';

/** What becomes of the messages that a consumer holds when it detaches. */
export interface DetachOptions {
  /**
   * `keep` (the default): they are the consumer's until their deadlines, and may still be answered.
   * `release`: they go back at once, in the order of their deliveries, and that does not count as a failure.
   */
  readonly held?: 'keep' | 'release';
}

/** A consumer of a group, as an operator sees it. */
export interface ConsumerInfo {
  readonly label: string | undefined;
  readonly connection: number | undefined;
  /** Messages it would take now. */
  readonly credit: number;
  /** Messages it was given and has not answered. */
  readonly held: number;
  /** When the oldest of these was delivered, in milliseconds since the epoch. */
  readonly heldSinceMs: number | undefined;
}

/** A delivery is one message handed to one consumer. A flyweight: it moves on after `receive` returns. */
export interface Delivery {
  readonly record: Record;
  readonly partition: number;
  /** 1 for the first delivery of the message to this group. */
  readonly deliveries: number;
  /** The same, without deliveries that consumers gave back unhandled: only these count against maxDeliver. */
  readonly attempt: number;
  /** When the consumer's time is up, on the monotonic clock; Infinity where nothing is to be answered. */
  readonly deadlineMs: number;
  /** Number of this delivery in the group, from 1. */
  readonly sequence: number;
  /** Messages the group has still to deliver for the first time. */
  readonly pending: number;
  /** Bytes of key, headers and value. */
  readonly bytes: number;
}

/**
 * A receipt stands for one delivery, so that an answer which comes late settles nothing. See
 * groups/receipt.ts.
 */
export interface Receipt {
  readonly group: Group;
  readonly partition: number;
  readonly offset: number;
  /** Which delivery of the message it was, from 1. */
  readonly delivery: number;
  /** Whether it can still settle its message. */
  readonly isCurrent: boolean;
  ack(): boolean;
  nack(delayMs?: number, reason?: string): boolean;
  reject(reason?: string): boolean;
  release(): boolean;
  setDeadline(ms: number): boolean;
}

/** A message as plain data. Texts are stored as UTF-8. */
export interface Message {
  readonly key?: Uint8Array | string | null;
  readonly headers?: readonly Header[];
  readonly value: Uint8Array | string | null;
  /** Milliseconds since the epoch; the broker's clock when absent. */
  readonly timestampMs?: number;
}

/** A message as it was read back: copies of its parts and where it stands. */
export interface StoredMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
}
