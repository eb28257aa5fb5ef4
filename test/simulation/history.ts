import { createHash } from 'node:crypto';
import type {
  CollectorEnd,
  GroupConfig,
  GroupStart,
  MissedRuns,
  PostponeScope,
  PublishToAllMode,
  TopicConfig,
} from '../../src/broker/index.ts';
import type { AmqpFact } from './amqp-facts.ts';
import type { SqsFact } from './sqs-facts.ts';
import type { Sighting } from './message.ts';
import type { Answer, PlannedMessage, PullOptions, Settlement } from './script.ts';

/**
 * A history has the requests of clients and their answers, in order, across all starts of the broker; the
 * checker knows nothing else.
 *
 * A topic is identified by its name, id and time of creation, and a group by its topic and its own: one that
 * is deleted and created again is another.
 */
export interface Event extends Stamp {
  readonly fact: Fact;
}

interface Stamp {
  /** Time on the simulated machine, in milliseconds. */
  readonly ms: number;
  /** The same by the wall clock, without its jumps while a broker was up. */
  readonly wallMs: number;
  /** Which start of the broker, from 1. */
  readonly run: number;
}

export type Fact =
  // ---- the machine
  | { readonly kind: 'started' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'crashed'; readonly power: boolean }
  /** The wall clock was set, forward or back. */
  | { readonly kind: 'clock-set'; readonly byMs: number; readonly isDown: boolean }
  /** The broker told of a jump of the clock. */
  | { readonly kind: 'clock-jumped'; readonly byMs: number }
  /** The log gave up after an error of the disk. */
  | { readonly kind: 'failed'; readonly code: string }
  /** Something was to be on disk, and the system said that it is not: nothing can be relied on any more. */
  | { readonly kind: 'sync-failed' }
  /**
   * Something no broker may do, seen by the machine itself: an exception, a hang, a start that fails without
   * reason.
   */
  | { readonly kind: 'problem'; readonly text: string }
  /**
   * The disk did not return its content, as the script asked for, and the broker reported the messages lost.
   */
  | {
      readonly kind: 'damaged';
      /** Undefined: of no topic, but of the log in which delayed messages wait. */
      readonly topic: string | undefined;
      readonly partition: number;
      readonly from: number;
      readonly to: number;
    }
  /**
   * A commit is on disk that was written when the history was as long as that: nothing asked for later can be
   * in it.
   */
  | { readonly kind: 'written'; readonly upTo: number }
  /** All readers of the partition now get everything below `end`. */
  | { readonly kind: 'readable'; readonly topic: string; readonly partition: number; readonly end: number }
  /** All requests up to that event are on disk. */
  | { readonly kind: 'durable'; readonly upTo: number }
  /** Nothing is left to do, and no timer is due: no operation waits longer for the disk than it may. */
  | {
      readonly kind: 'idle';
      /**
       * Groups that are not paused, with a consumer that takes messages of any size. Undefined: not to be
       * relied on.
       */
      readonly hungry?: readonly string[];
      /** How many messages the consumers of a group hold, says the broker. */
      readonly inFlight?: readonly (readonly [group: string, count: number])[];
    }
  /** The outcome of an operation, by the index of its event. */
  | { readonly kind: 'outcome'; readonly of: number; readonly error?: string; readonly count?: number }
  /** Something else was asked for, of which only errors are of interest. */
  | { readonly kind: 'asked'; readonly action: string }
  // ---- topics and groups
  | { readonly kind: 'topic'; readonly topic: string; readonly config: TopicConfig }
  | { readonly kind: 'topic-deleted'; readonly topic: string }
  /** The topic and the group were asked for as one. */
  | { readonly kind: 'queue'; readonly topic: string; readonly group: string }
  | {
      readonly kind: 'group';
      readonly topic: string;
      readonly group: string;
      readonly config: GroupConfig;
      readonly isNew: boolean;
    }
  | { readonly kind: 'group-deleted'; readonly topic: string; readonly group: string }
  | {
      readonly kind: 'group-reset';
      readonly topic: string;
      readonly group: string;
      readonly start: GroupStart;
    }
  | { readonly kind: 'paused'; readonly group: string; readonly untilMs?: number }
  | { readonly kind: 'resumed'; readonly group: string }
  // ---- messages in
  | ({ readonly kind: 'publish' } & PublishFact)
  | {
      readonly kind: 'published';
      readonly id: number;
      readonly partition: number;
      /** -1: it is delayed. */
      readonly offset: number;
      readonly duplicate: boolean;
      /** Of a message with a unique key. */
      readonly outcome?: 'stored' | 'ignored' | 'replaced';
    }
  | {
      readonly kind: 'refused';
      readonly id: number;
      readonly code: string;
      /** It may have been stored the first time. */
      readonly wasSentBefore?: boolean;
    }
  /** A publish to several topics was taken by some of them. */
  | {
      readonly kind: 'published-to-all';
      readonly ids: readonly number[];
      readonly refusals: readonly { readonly id: number; readonly code: string }[];
    }
  | { readonly kind: 'refused-by-all'; readonly ids: readonly number[]; readonly code: string }
  /** A Kafka producer sends them, for the first time or once more. */
  | { readonly kind: 'sent'; readonly ids: readonly number[] }
  // ---- messages out
  | {
      readonly kind: 'delivered';
      readonly topic: string;
      readonly group: string;
      readonly deliveries: number;
      readonly seen: Sighting;
      /** Which consumer got it, where clients know. */
      readonly consumer?: number;
      /** The consumer has a wait of its own. */
      readonly waitMs?: number;
      /** The bytes that it counts for, if it was pulled. */
      readonly bytes?: number;
      /** The group has a single active consumer. */
      readonly isSingle?: boolean;
      /** It goes to an AMQP client, which is to say that it came. */
      readonly isHandedOver?: true;
      /** A consumer of a higher priority that has credit and may have the message. */
      readonly passedOver?: number;
    }
  /** A consumer, or a pull, is about to attach. */
  | {
      readonly kind: 'attaching';
      readonly group: string;
      readonly consumer: number;
      readonly member: string | undefined;
      readonly isExclusive: boolean;
      readonly isPull: boolean;
    }
  | {
      readonly kind: 'attach-outcome';
      readonly group: string;
      readonly consumer: number;
      readonly refused?: string;
    }
  /** A consumer is about to leave, or a pull is over. */
  | { readonly kind: 'detached'; readonly group: string; readonly consumer: number }
  /** The broker's own word about the active consumer; absent: there is none any more. */
  | {
      readonly kind: 'active';
      readonly group: string;
      readonly consumer: number | undefined;
      readonly why: string;
    }
  | {
      readonly kind: 'answered';
      readonly topic: string;
      readonly group: string;
      readonly partition: number;
      readonly offset: number;
      readonly answer: Answer | Settlement;
      /** Of a nack, of a postponement, and of a deadline that is set. */
      readonly delayMs?: number;
      /** Of a postponement. */
      readonly scope?: PostponeScope;
      readonly took: boolean;
      /** It was answered by receipt: the event of the delivery that the receipt is of, and its run. */
      readonly receipt?: { readonly of: number; readonly run: number };
    }
  /** A consumer gives back its messages, in this order. */
  | {
      readonly kind: 'released';
      readonly group: string;
      readonly consumer: number;
      /** Its messages according to the group. */
      readonly held: readonly Held[];
      /** Only of this partition. */
      readonly partition?: number;
    }
  | {
      readonly kind: 'pull';
      readonly pull: number;
      readonly group: string;
      readonly options: PullOptions;
    }
  | {
      readonly kind: 'pulled';
      readonly pull: number;
      readonly end: CollectorEnd;
      readonly isPaused: boolean;
    }
  /** The broker's own word that it gave a message up and moved it. */
  | {
      readonly kind: 'dead-lettered';
      readonly group: string;
      readonly partition: number;
      readonly offset: number;
      readonly deliveries: number;
    }
  | ({ readonly kind: 'fetched' } & Fetched)
  // ---- positions of Kafka's groups, by the name of the group
  | {
      readonly kind: 'offset-commit';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      /** Says which commit it is. */
      readonly metadata: string;
      /** The transaction with which it is to be committed. */
      readonly transaction?: number;
    }
  /** The end of a transaction is asked for, the first time or once more. */
  | {
      readonly kind: 'transaction-ending';
      readonly transaction: number;
      readonly outcome: 'commit' | 'abort';
    }
  | {
      readonly kind: 'offset-seen';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      /** Index of the next event when it was asked for. */
      readonly since: number;
      /** -1: none. */
      readonly offset: number;
      readonly metadata: string;
    }
  // ---- delayed messages and schedules
  | {
      readonly kind: 'delayed-changed';
      readonly id: number;
      readonly what: 'move' | 'cancel' | 'publish';
      /** Of a move, by the wall clock. */
      readonly dueMs?: number;
    }
  | {
      readonly kind: 'schedule-controlled';
      /** The message that its runs publish. */
      readonly id: number;
      readonly what: 'pause' | 'resume' | 'run' | 'delete';
    }
  // ---- what AMQP clients say and hear
  | AmqpFact
  // ---- what SQS clients say and hear
  | SqsFact
  // ---- removal
  | {
      readonly kind: 'purge';
      readonly topic: string;
      readonly partition: number;
      readonly pattern?: string;
      readonly before?: number;
      readonly keep?: number;
    }
  | { readonly kind: 'remove'; readonly topic: string; readonly partition: number; readonly offset: number }
  | { readonly kind: 'redrive'; readonly topic: string }
  // ---- everything there is, read while nothing else happens
  | ({ readonly kind: 'inventory' } & Inventory)
  | ({ readonly kind: 'position' } & Position)
  /** Which topics and groups there are; inventories of all of them follow. */
  | { readonly kind: 'topics'; readonly topics: readonly string[]; readonly groups: readonly string[] }
  /** Every group was given all it could get, and every delivery was acked. */
  | { readonly kind: 'drained' };

export type FactOf<K extends Fact['kind']> = Extract<Fact, { readonly kind: K }>;

export interface PublishFact {
  readonly topic: string;
  readonly plan: PlannedMessage;
  readonly transaction?: number;
  /** Wall clock, of a delayed message. */
  readonly dueMs?: number;
  readonly expectedLastOffset?: number;
  readonly expectedLastKeyOffset?: number;
  /**
   * The publisher did not know which message of the key is the last, and neither does the broker before it
   * has looked.
   */
  readonly isGuess?: boolean;
  /** It goes to several topics in one publish. */
  readonly toAll?: PublishToAllMode;
  /** The transaction of AMQP that it is part of. */
  readonly tx?: number;
  /** Its way was being changed: it may not have come here. */
  readonly mayMiss?: true;
  /** It is published by a schedule, once per run. */
  readonly schedule?: ScheduleFact;
}

/** A schedule that was asked for. */
export interface ScheduleFact {
  readonly name: string;
  readonly everyMs: number;
  /** Instead of `everyMs`. */
  readonly cron?: string;
  readonly missed: MissedRuns;
  readonly jitterMs?: number;
  readonly count?: number;
  /** Wall clock. */
  readonly endMs?: number;
}

/** A message that a consumer holds. */
export interface Held {
  readonly partition: number;
  readonly offset: number;
  readonly delivery: number;
}

/** A message that a Kafka client read of a partition. */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly committedOnly: boolean;
  /** Index of the next event when it was asked for. */
  readonly since: number;
  readonly from: number;
  /** Where to go on. */
  readonly end: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly seen: readonly Sighting[];
}

/** The content of a partition, and its own figures. */
export interface Inventory {
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
  readonly next: number;
  readonly count: number;
  /** Messages wait for a commit, as while the journal has no room: they count, and are not read. */
  readonly areSomeWaiting?: true;
  readonly messages: readonly Sighting[];
  readonly keys?: readonly (readonly [key: string, count: number])[];
}

/** Where a group says it stands. */
export interface Position {
  readonly topic: string;
  readonly group: string;
  readonly inFlight: number;
  /** Pending, though the message was removed. */
  readonly removed: number;
  readonly lag: number;
}

export class History {
  readonly events: Event[] = [];
  run = 0;
  readonly #clock: { steady(): number; monotonic(): number };

  constructor(clock: { steady(): number; monotonic(): number }) {
    this.#clock = clock;
  }

  /** Returns the index of the event. */
  add(fact: Fact): number {
    this.events.push({ ms: this.#clock.monotonic(), wallMs: this.#clock.steady(), run: this.run, fact });
    return this.events.length - 1;
  }

  /** The same for two runs exactly when the same happened in both. */
  digest(calls: readonly string[]): string {
    const hash = createHash('sha256').update(JSON.stringify(this.events));
    return hash.update(calls.join('\n')).digest('hex').slice(0, 16);
  }
}
