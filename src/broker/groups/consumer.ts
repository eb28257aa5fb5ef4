import type { Record } from '../../log/index.ts';

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
  readonly label?: string;
  /** The id of the connection that it came by. */
  readonly connection?: number;
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
