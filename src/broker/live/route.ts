import type { LiveMessage } from './live-message.ts';
import type { Topic } from '../topics/topic.ts';

/** Takes live messages: a subscription of a protocol session, or a function of the embedded API. */
export interface LiveSubscriber {
  /**
   * Takes a message; what it keeps it copies before it returns. False: it did not want it (closed, its own
   * echo).
   */
  receive(message: LiveMessage): boolean;
  /**
   * It is behind: what should not be lost waits, see {@link whenDrained}. Messages given to it all the same
   * are kept as far as its limit goes.
   */
  readonly congested: boolean;
  /** Calls back once, when it is no longer congested or gone for good. */
  whenDrained(callback: () => void): void;
  /** The id of the connection that it came by. */
  readonly connection?: number;
}

/**
 * A live subscription is a subscriber with the pattern it asked for, in the router until it is unsubscribed.
 */
export class LiveSubscription {
  readonly pattern: string;
  /** Members of one queue share their messages. */
  readonly queue: string | undefined;
  readonly subscriber: LiveSubscriber;
  /** Its place among the subscriptions of the same pattern and queue; -1 once unsubscribed. */
  index = -1;
  /** Targets that count on it for their interest, see LiveTarget. */
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

/** Is told when the subscription it counted on is gone. */
export interface InterestHolder {
  witnessGone(): void;
}

/** The members of one queue that a subject reaches. */
export type QueueMembers = readonly LiveSubscription[];

/** A place whose routes become stale together: everything below one first token, or all of the router. */
export interface RouteScope {
  generation: number;
}

/**
 * A route says who gets the messages of a subject: subscribers, one member of each queue, and the topic that
 * captures it.
 *
 * It is a snapshot, valid until a subscription changes in its scope (`router.isCurrent`). When the last token
 * of the subject makes no difference (only wildcards follow the tokens before it) the route is `open`: it
 * holds for every sibling, which is what makes inbox subjects that are never repeated as cheap as others.
 */
export class Route<T = Topic> {
  readonly subscriptions: readonly LiveSubscription[];
  readonly queues: readonly QueueMembers[];
  readonly topic: T | undefined;
  /** The subject, or when open its part up to and including the last dot. */
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

  /** Somebody listens; a topic alone does not count. */
  get hasSubscribers(): boolean {
    return this.subscriptions.length > 0 || this.queues.length > 0;
  }

  /** Whether the route holds for the subject in this range. */
  covers(buffer: Uint8Array, start: number, end: number): boolean {
    const key = this.key;
    const length = key.length;
    if (!this.open) {
      if (end - start !== length) return false;
    } else {
      if (end - start <= length) return false;
      for (let at = start + length; at < end; at++) if (buffer[at] === dot) return false;
    }
    // Subjects of one kind differ at their end, so look there first.
    for (let i = length - 1, at = start + length - 1; i >= 0; i--, at--)
      if (buffer[at] !== key[i]) return false;
    return true;
  }
}

const dot = 46;
