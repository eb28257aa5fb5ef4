import type { Record } from '../log/index.ts';

/**
 * A consumer takes messages from a group. It is an interface: a pull request is one with a finite credit, a push subscription one
 * whose credit follows its acks and its socket.
 */
export interface Consumer {
  /** How many messages it takes now; at 0 it is passed over until `group.wake()`. */
  readonly credit: number;
  /** The largest message it takes now, in bytes of key, headers and value; Infinity for any. */
  readonly creditBytes: number;
  /** The partitions it takes messages of; absent: all. */
  readonly partitions?: ReadonlySet<number>;
  /** Takes one delivery. Called synchronously; it may detach itself, and it must not ack or nack inside the call. */
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
  /** Number of this delivery in the group, from 1. */
  readonly sequence: number;
  /** Messages the group has still to deliver for the first time. */
  readonly pending: number;
  /** Bytes of key, headers and value. */
  readonly bytes: number;
}
