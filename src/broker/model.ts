import type { Header, Record } from '../log/index.ts';
import type { GroupConfig } from './groups/group-config.ts';
import type { TopicConfig } from './topics/topic-config.ts';

// The model of the broker on one page: its nouns, in the order in which a newcomer needs them. The wings of
// the broker use these types for each other. The classes that implement them have more members, for their
// callers.

/**
 * A topic is a named log of messages in one or more partitions. All its groups get all its messages. See
 * topics/topic.ts.
 */
export interface Topic {
  /** Unique in the data directory, and never reused. */
  readonly id: number;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly config: TopicConfig;
  readonly isDeleted: boolean;
  readonly partitions: {
    readonly length: number;
    /** Undefined if the topic has no partition of that index. */
    at(index: number): Partition | undefined;
  };
  readonly groups: ReadonlyMap<string, Group>;
  /** Live messages of all partitions, and their estimated bytes. */
  readonly count: number;
  readonly bytes: number;
}

/**
 * A partition is one log of a topic, and knows which of its messages are live. An offset counts its messages
 * from 0 and is never reused. See partitions/partition.ts.
 *
 * ```
 *   offsets   … removed │ first … live and removed mixed … │ stable end … │ durable end … │ next
 * ```
 */
export interface Partition {
  readonly topic: Topic;
  readonly index: number;
  /** The lowest live offset; {@link nextOffset} if there is no live message. */
  readonly firstOffset: number;
  /**
   * One past the last offset that readers see: all messages below it are durable and in no open transaction.
   */
  readonly stableEnd: number;
  /** One past the last offset on disk. */
  readonly durableEnd: number;
  readonly nextOffset: number;
  /** Live messages, and their estimated bytes. */
  readonly count: number;
  readonly bytes: number;
  isLive(offset: number): boolean;
  /** One message; undefined if it was removed, or is not durable yet. */
  get(offset: number): Promise<StoredMessage | undefined>;
}

/**
 * A group is a reading position on a topic, shared by its consumers: each message goes to one consumer of the
 * group. The ack model is at the top of groups/group.ts.
 */
export interface Group {
  readonly id: number;
  readonly name: string;
  readonly topic: Topic;
  readonly createdMs: number;
  readonly config: GroupConfig;
  /** The group was deleted, or the broker is closed. */
  readonly isClosed: boolean;
  readonly isPaused: boolean;
  /** Messages to be delivered for the first time. */
  readonly lag: number;
  /** Throws a BrokerError of code `consumer-exclusive`: see {@link AttachOptions}. */
  attach(consumer: Consumer, options?: AttachOptions): void;
  detach(consumer: Consumer, options?: DetachOptions): void;
  /** Makes the group deliver soon, because this consumer has credit again; absent: any of them may have. */
  wake(consumer?: Consumer): void;
  /**
   * Answers to a delivery, by its message. False if it was answered before. `ack`: the message is done.
   * `nack`: it failed, and is to be delivered again. `reject`: it is never delivered again. `giveBack`: it is
   * delivered again at once, and this is no failure.
   */
  ack(partition: number, offset: number): boolean;
  nack(partition: number, offset: number, delayMs?: number, reason?: string): boolean;
  reject(partition: number, offset: number, reason: string): boolean;
  giveBack(partition: number, offset: number): boolean;
  /** Sets the deadline of the answer, `ms` milliseconds from now. */
  setDeadline(partition: number, offset: number, ms: number): boolean;
  /**
   * Not now: the delivery was not handled, which is no failure. The message, its key or the group is not
   * delivered before `ms` milliseconds from now.
   */
  postpone(partition: number, offset: number, ms: number, scope?: PostponeScope): boolean;
}

/** What a consumer postpones: the message, all messages of its key, or all of the group. */
export type PostponeScope = 'message' | 'key' | 'group';

/**
 * A consumer takes messages from a group. A pull request is a consumer with a finite credit. A push
 * subscription is a consumer whose credit follows its acks and its socket.
 */
export interface Consumer {
  /** How many messages it takes now. With credit 0 it is skipped until `group.wake()`. */
  readonly credit: number;
  /**
   * Consumers of a higher priority go before this one while they have credit. Read on attaching. Default 0.
   */
  readonly priority?: number | undefined;
  /**
   * The name of the client that this consumer belongs to. A client has several consumers at once if it pulls
   * several times. Absent: a client of its own.
   */
  readonly member?: string | undefined;
  /** It takes messages only while one of these is reached; absent: always. */
  readonly overflow?: Overflow | undefined;
  /**
   * What shows that the active consumer of a group is still there (see groups/active-consumer.ts). Absent:
   * that it is attached, as long as it answers what it holds. `pulls-and-answers`: it pulls again and again,
   * under one member name. `pulls`: the same, but answers show nothing.
   */
  readonly presence?: 'pulls-and-answers' | 'pulls' | undefined;
  /**
   * The largest message it takes now, in bytes of key, headers and value, or as {@link sizeOf} counts;
   * Infinity for any.
   */
  readonly creditBytes: number;
  /**
   * The bytes of a message as this consumer's protocol counts them. The sequence and the pending count of the
   * delivery are not known yet.
   */
  sizeOf?(delivery: Delivery): number;
  /** The client's name for it, shown to people. */
  readonly label?: string | undefined;
  /** The id of its connection. */
  readonly connection?: number | undefined;
  /**
   * How long it may take for each message, in milliseconds; absent: as configured for its group. Read at each
   * delivery.
   */
  readonly ackWaitMs?: number | undefined;
  /** The partitions that it takes messages from; absent: all. */
  readonly partitions?: ReadonlySet<number>;
  /**
   * Takes one delivery. Called synchronously. It may detach the consumer, but must not ack or nack inside the
   * call.
   */
  receive(delivery: Delivery): void;
  /** The next message is larger than `creditBytes`; the consumer stays attached unless it detaches itself. */
  refused?(bytes: number): void;
  /** It is the active consumer of its group from now on: see groups/active-consumer.ts. */
  activated?(): void;
  /** It is no longer the active one, because it was silent or was released. It stays attached. */
  deactivated?(): void;
  /** The group is gone; no more messages will be delivered. */
  ended(reason: ConsumerEnd): void;
}

/** How much a group must have to do before a consumer helps out. */
export interface Overflow {
  /** So many messages wait to be delivered. */
  readonly waitingMin?: number;
  /** So many messages are delivered and not done. */
  readonly inFlightMin?: number;
}

export interface AttachOptions {
  /**
   * Only while no other member is attached, and no other may attach while this consumer is. Default false.
   */
  readonly exclusive?: boolean;
}

export type ConsumerEnd = 'group-deleted' | 'topic-deleted' | 'closed';

/** What happens to the messages that a consumer holds when it detaches. */
export interface DetachOptions {
  /**
   * `keep` (the default): they belong to the consumer until their deadlines, and may still be answered.
   * `release`: they go back at once, in the order of their deliveries, which does not count as a failure.
   */
  readonly held?: 'keep' | 'release';
  /** Whether its member attaches again, so that it stays the active one for now. Default false. */
  readonly returns?: boolean;
}

/** The active consumer of a group. */
export interface ActiveInfo {
  readonly label: string | undefined;
  readonly member: string | undefined;
  readonly connection: number | undefined;
  /** Since when it is the active one, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** A consumer of a group, as an operator sees it. */
export interface ConsumerInfo {
  readonly label: string | undefined;
  readonly connection: number | undefined;
  readonly member: string | undefined;
  /** Higher goes first. */
  readonly priority: number;
  /** Whether it gets messages: false if another one is the active consumer of the group. */
  readonly active: boolean;
  /** Whether it keeps others from attaching. */
  readonly exclusive: boolean;
  /** How many messages it would take now. */
  readonly credit: number;
  /** Messages that it got and has not answered. */
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
  /**
   * The same without the deliveries that consumers gave back unhandled. Only these attempts count towards
   * maxDeliver.
   */
  readonly attempt: number;
  /** The priority that the message was published with. */
  readonly priority: number;
  /** The deadline of the answer, on the monotonic clock; Infinity if no answer is expected. */
  readonly deadlineMs: number;
  /** Number of this delivery in the group, from 1. */
  readonly sequence: number;
  /** Messages that the group has yet to deliver for the first time. */
  readonly pending: number;
  /** Bytes of key, headers and value. */
  readonly bytes: number;
}

/**
 * A receipt identifies one delivery, so that an answer that comes too late settles nothing. See
 * groups/receipt.ts.
 */
export interface Receipt {
  readonly group: Group;
  readonly partition: number;
  readonly offset: number;
  /** The number of the delivery of the message, from 1. */
  readonly delivery: number;
  /** Whether the receipt can still settle its message. */
  readonly isCurrent: boolean;
  ack(): boolean;
  nack(delayMs?: number, reason?: string): boolean;
  reject(reason?: string): boolean;
  release(): boolean;
  setDeadline(ms: number): boolean;
  postpone(ms: number, scope?: PostponeScope): boolean;
}

/** A message as plain data. Texts are stored as UTF-8. */
export interface Message {
  readonly key?: Uint8Array | string | null;
  readonly headers?: readonly Header[];
  readonly value: Uint8Array | string | null;
  /** Milliseconds since the epoch; absent: the time of the broker's clock. */
  readonly timestampMs?: number;
}

/** A message that was read back: copies of its parts, and its topic, partition and offset. */
export interface StoredMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
}
