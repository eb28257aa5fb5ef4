import type { MessageJson, ValueForm } from './messages.ts';

/** How many messages to receive, and how long to wait for the first. */
export interface ReceiveJson {
  /** At most so many messages, 1 to 1000; absent: 1. */
  readonly max?: number;
  /** How long to wait for the first message, up to 60000; absent: answer at once. */
  readonly waitMs?: number;
  /** How long the messages belong to the receiver; absent: what the group says. */
  readonly ackWaitMs?: number;
  readonly as?: ValueForm;
}

export interface ReceivedMessagesJson {
  readonly messages: readonly ReceivedMessageJson[];
}

/** A message that was delivered. */
export interface ReceivedMessageJson extends MessageJson {
  /** Settles this delivery, also after a restart of the broker; null if the message is done already. */
  readonly receipt: string | null;
  /** The number of this delivery of the message, from 1. */
  readonly deliveries: number;
}

/** Answers to deliveries, in order. */
export interface SettleJson {
  readonly answers: readonly AnswerJson[];
}

/**
 * An answer to one delivery. `ack`: done. `nack`: failed, to be delivered again after the group's backoff or
 * `delayMs`. `reject`: never again, a dead letter if the group has a policy. `release`: given back, which is
 * no failure. `postpone`: not now, but after `delayMs`, which is no failure. `extend`: goes on for
 * `ackWaitMs` from now.
 */
export interface AnswerJson {
  readonly receipt: string;
  readonly answer: 'ack' | 'nack' | 'reject' | 'release' | 'postpone' | 'extend';
  /** Only with `nack` and `postpone`. */
  readonly delayMs?: number;
  /** Only with `nack` and `reject`: why, for the dead letter. */
  readonly reason?: string;
  /** Only with `extend`. */
  readonly ackWaitMs?: number;
}

export interface SettledJson {
  readonly results: readonly SettledOneJson[];
}

export interface SettledOneJson {
  /** False: the receipt is stale, because the message is done or was delivered again. Nothing changed. */
  readonly settled: boolean;
}
