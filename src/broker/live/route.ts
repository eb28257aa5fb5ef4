import type { LiveMessage } from './live-message.ts';
import type { Topic } from '../topics/topic.ts';

/**
 * A subscriber takes live messages: a subscription of a protocol session, or a function of the embedded API.
 */
export interface LiveSubscriber {
  /**
   * Takes a message, and copies the parts that it keeps before it returns. False if it did not want it
   * (closed, its own echo).
   */
  receive(message: LiveMessage): boolean;
  /**
   * Whether it is behind. Messages that must not be lost should wait, see {@link whenDrained}. Messages that
   * are given to it all the same are kept up to its limit.
   */
  readonly congested: boolean;
  /** Calls back once, when it is no longer congested or is gone. */
  whenDrained(callback: () => void): void;
  /** The id of its connection. */
  readonly connection?: number;
}

/** A live subscription is a subscriber with its pattern, in the router until it is unsubscribed. */
export class LiveSubscription {
  readonly pattern: string;
  /** Members of one queue share their messages. */
  readonly queue: string | undefined;
  readonly subscriber: LiveSubscriber;
  /** Its index among the subscriptions of the same pattern and queue; -1 once unsubscribed. */
  index = -1;
  /** Targets that rely on it as their witness, see LiveTarget. */
  targets: Set<InterestHolder> | undefined = undefined;

  constructor(pattern: string, queue: string | undefined, subscriber: LiveSubscriber) {
    this.pattern = pattern;
    this.queue = queue;
    this.subscriber = subscriber;
  }

  get active(): boolean {
    return this.index >= 0;
  }
}

/** Gets a call when its witness is gone. */
export interface InterestHolder {
  witnessGone(): void;
}

/** The members of one queue that a subject reaches. */
export type QueueMembers = readonly LiveSubscription[];

/**
 * A scope of routes that become stale together: all subjects with the same first token, or the whole router.
 */
export interface RouteScope {
  generation: number;
}

/**
 * A route lists the receivers of a subject: subscribers, one member of each queue, and the topic that
 * captures it.
 *
 * It is a snapshot, valid until a subscription in its scope changes (`router.isCurrent`). If the last token
 * of the subject makes no difference (only wildcards follow the tokens before it) the route is `open`: it
 * applies to all sibling subjects. That makes inbox subjects, which are never repeated, as cheap as others.
 */
export class Route<T = Topic> {
  readonly subscriptions: readonly LiveSubscription[];
  readonly queues: readonly QueueMembers[];
  readonly topic: T | undefined;
  /** The subject; for an open route, its part up to and including the last dot. */
  readonly key: Uint8Array;
  readonly open: boolean;
  readonly scope: RouteScope;
  readonly scopeGeneration: number;
  readonly rootGeneration: number;

  constructor(
    found: {
      subscriptions: readonly LiveSubscription[];
      queues: readonly QueueMembers[];
      topic: T | undefined;
    },
    key: { bytes: Uint8Array; open: boolean },
    scope: RouteScope,
    rootGeneration: number,
  ) {
    this.subscriptions = found.subscriptions;
    this.queues = found.queues;
    this.topic = found.topic;
    this.key = key.bytes;
    this.open = key.open;
    this.scope = scope;
    this.scopeGeneration = scope.generation;
    this.rootGeneration = rootGeneration;
  }

  /** Whether there are subscribers. A topic does not count. */
  get hasSubscribers(): boolean {
    return this.subscriptions.length > 0 || this.queues.length > 0;
  }

  /** Whether the route applies to the subject in this range. */
  covers(buffer: Uint8Array, start: number, end: number): boolean {
    const key = this.key;
    const length = key.length;
    if (!this.open) {
      if (end - start !== length) return false;
    } else {
      if (end - start <= length) return false;
      for (let at = start + length; at < end; at++) if (buffer[at] === dot) return false;
    }
    // Similar subjects mostly differ at the end, so compare from there.
    for (let i = length - 1, at = start + length - 1; i >= 0; i--, at--)
      if (buffer[at] !== key[i]) return false;
    return true;
  }
}

const dot = 46;
