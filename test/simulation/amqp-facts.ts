import type { GroupConfig, TopicConfig } from '../../src/broker/index.ts';
import type { QueueTraits } from './amqp-script.ts';

/** What AMQP clients say and hear on the wire. A channel has a number of its own in each life. */
export type AmqpFact =
  /** A consumer is asked for. */
  | {
      readonly kind: 'consuming';
      readonly consumer: number;
      readonly channel: number;
      /** The most unanswered deliveries; 0: no limit. */
      readonly prefetch: number;
      readonly noAck: boolean;
    }
  /** A limit of the unanswered deliveries of a channel; 0: none. */
  | { readonly kind: 'channel-prefetch'; readonly channel: number; readonly prefetch: number }
  | { readonly kind: 'getting'; readonly channel: number; readonly group: string; readonly noAck: boolean }
  /** A delivery, or the message of a get. */
  | {
      readonly kind: 'handed-over';
      readonly channel: number;
      readonly tag: number;
      /** Undefined: the message of a get. */
      readonly consumer: number | undefined;
      readonly group: string;
      readonly id: number;
      readonly redelivered: boolean;
      readonly noAck: boolean;
      /** How it differs from the published message. */
      readonly altered?: string;
    }
  /** The client answers a delivery, or all up to it; within a transaction when that is committed. */
  | {
      readonly kind: 'answering';
      readonly channel: number;
      readonly tag: number;
      readonly multiple: boolean;
      readonly answer: WireAnswer;
      readonly tx?: number;
    }
  | { readonly kind: 'recovering'; readonly channel: number }
  | { readonly kind: 'recovered'; readonly channel: number }
  /** The server has answered what came after everything that was asked for up to that event. */
  | { readonly kind: 'synced'; readonly channel: number; readonly upTo: number }
  /** From now on the channel may end, or no more: with it its deliveries go back. */
  | { readonly kind: 'channel-may-end'; readonly channel: number; readonly may: boolean }
  /** The broker's own word: a delivery goes back to its group. */
  | {
      readonly kind: 'given-back';
      readonly group: string;
      readonly partition: number;
      readonly offset: number;
      readonly took: boolean;
    }
  /** A message that is to come back if no queue gets it. */
  | {
      readonly kind: 'mandatory';
      readonly name: number;
      readonly channel: number;
      readonly way: 'none' | 'sure' | 'unknown';
    }
  | { readonly kind: 'returned'; readonly name: number; readonly channel: number }
  | {
      readonly kind: 'tx';
      readonly tx: number;
      readonly channel: number;
      /** `commit`: it is asked for; `partial`: a queue has refused a publish, and the rest is done. */
      readonly what: 'commit' | 'committed' | 'partial' | 'rollback';
    }
  /** A queue that was declared, as it is now: when it is new, and after each start. */
  | {
      readonly kind: 'declared';
      readonly traits: QueueTraits;
      readonly topic: TopicConfig;
      readonly group: GroupConfig;
    }
  /** Where the dead letters of a queue go from now on; undefined: nobody can say. */
  | { readonly kind: 'letters-go'; readonly topic: string; readonly to: readonly string[] | undefined };

export type WireAnswer = 'ack' | 'requeue' | 'reject';
