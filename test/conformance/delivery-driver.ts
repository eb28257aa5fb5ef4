import type { RateLimit } from '../../src/util/index.ts';

/**
 * A delivery driver drives one broker through the real client of one protocol, in the core's own words:
 * topics, groups, consumers, deliveries. The meaning of delivery is written once, in `delivery.ts`, and runs
 * over every driver.
 */
export interface DeliveryDriver {
  readonly protocol: string;
  readonly capabilities: DeliveryCapabilities;
  /** Starts a broker of its own with an empty data directory. */
  start(): Promise<DeliveryBroker>;
}

/**
 * The capabilities of a protocol, or of the broker behind it. A fact that needs a missing one is skipped,
 * visibly.
 */
export interface DeliveryCapabilities {
  /** Several groups may read one topic, each all of it. */
  readonly fanOut: boolean;
  /** A consumer can refuse a message, now or with a delay, ask for more time, or refuse it for good. */
  readonly nack: boolean;
  readonly nackLater: boolean;
  readonly extend: boolean;
  readonly reject: boolean;
  /** A delivery says how often its message was delivered. */
  readonly deliveryCount: boolean;
  /** A publish with an id that was seen before is not stored again. */
  readonly deduplication: boolean;
  /** A group has a limit of messages in flight. */
  readonly inFlightLimit: boolean;
  /** A group can hold the messages of a key in order while other keys go on. */
  readonly keyOrdering: boolean;
  /** A consumer may have several messages of a key at once. */
  readonly keyRuns: boolean;
  /** An answered ack is on disk: it survives a crash. */
  readonly durableAcks: boolean;
  /**
   * An ack of an earlier delivery settles the message that was delivered again meanwhile. Without that it
   * settles nothing.
   */
  readonly lateAcks: boolean;
  /** A message that was delivered too often goes to a dead-letter topic. */
  readonly deadLetters: boolean;
  /** A message may have a time to live. */
  readonly expiry: boolean;
  /** A message may bring its own time. */
  readonly timestamps: boolean;
  /** A message may have a unique key while it waits. */
  readonly uniqueKeys: boolean;
  /** A topic may have levels of priority, and a message one of them. */
  readonly priorities: boolean;
  /** Consumers have a priority. */
  readonly consumerPriorities: boolean;
  /** A group may have a single active consumer, which is known again as long as it lasts. */
  readonly activeConsumer: boolean;
  /** Groups may have the settings of the broker for which the protocol has no words: rates, concurrency. */
  readonly brokerSettings: boolean;
  /** A consumer can say "not now" of a message, which is no failure. */
  readonly postpone: boolean;
  /** It can say it of the key of a message, or of the whole group. */
  readonly postponeScopes: boolean;
  /** A header name may occur more than once. */
  readonly repeatedHeaders: boolean;
  /** A message may be published with a delay. */
  readonly delays: boolean;
  /** Delayed messages can be listed and changed, and schedules publish again and again. */
  readonly later: boolean;
}

export type DeliveryCapability = keyof DeliveryCapabilities;

/** How a topic keeps messages: `queue` until its group has acked them, `log` regardless of acks. */
export type TopicKind = 'queue' | 'log';

/** Settings of a topic beside its kind. */
export interface TopicOptions {
  readonly priorities?: number;
  readonly ageingMs?: number;
  readonly ageMsMax?: number;
  readonly ageFrom?: 'timestamp';
}

/** Limits of a group that may change while it is in use. */
export interface GroupLimits {
  readonly rate?: RateLimit;
  readonly concurrency?: number;
  /** With order per key: how many messages of a key its consumer may have at once. */
  readonly keyRunMax?: number;
  /** With order per key: how many messages of a key may be in flight, and how many of it come in a second. */
  readonly keyConcurrency?: number;
  readonly keyRate?: RateLimit;
}

export interface GroupOptions extends GroupLimits {
  /** How long a consumer may take before its message goes to another. */
  readonly ackDeadlineMs?: number;
  readonly maxDeliver?: number;
  readonly maxInFlight?: number;
  /** `key`: a key with a message in flight is held by one consumer, its later messages wait. */
  readonly ordering?: 'none' | 'key';
  /** One member gets all messages; another one takes over when it is silent for so long. */
  readonly activeSilenceMs?: number;
  /** An older message is not delivered. */
  readonly messageTtlMs?: number;
}

/** The precedence of a member among those of its group. */
export interface MemberOptions {
  readonly priority?: number;
  readonly member?: string;
  /** Whether it is one consumer for all that it receives, rather than one for each. It keeps asking. */
  readonly isLasting?: boolean;
}

export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface OutgoingMessage {
  readonly value: string | Uint8Array;
  readonly key?: string;
  readonly headers?: HeaderList;
  /** The id by which the broker recognises a second publish of the same message. */
  readonly id?: string;
  /** Its time to live, in whole seconds. */
  readonly ttlMs?: number;
  readonly timestampMs?: number;
  readonly unique?: UniqueKey;
  readonly priority?: number;
  /** How much later it arrives, in whole seconds. */
  readonly delayMs?: number;
}

/** The unique key of a message, and what happens while an earlier one of that key waits. */
export interface UniqueKey {
  readonly key: string;
  readonly mode: 'ignore' | 'replace' | 'debounce' | 'throttle';
  readonly windowMs?: number;
}

/** The broker's answer to a publish. */
export interface PublishAnswer {
  readonly duplicate: boolean;
  /** What became of a message with a unique key. */
  readonly outcome?: string;
}

export interface DeliveryBroker extends AsyncDisposable {
  /** Both take names of letters, digits and `-`. */
  createTopic(topic: string, kind: TopicKind, options?: TopicOptions): Promise<void>;
  createGroup(topic: string, group: string, options?: GroupOptions): Promise<void>;
  /** Changes limits of a group. */
  limitGroup(topic: string, group: string, limits: GroupLimits): Promise<void>;
  /** Resolves when the broker has taken responsibility. */
  publish(topic: string, message: OutgoingMessage): Promise<PublishAnswer>;
  /** A member of the group, with a connection of its own. */
  join(topic: string, group: string, options?: MemberOptions): Promise<DeliveryConsumer>;
  countStored(topic: string): Promise<number>;
  /** Where the capability `later` is. */
  readonly later?: LaterCalls;
  readDeadLetters(topic: string, group: string): Promise<readonly DeadLetter[]>;
  /** SIGKILL, start again on the same data, connect again. Consumers that joined before are gone. */
  crash(): Promise<void>;
  /** The same with a graceful stop. */
  restart(): Promise<void>;
}

/** What a broker is to do later. */
export interface LaterCalls {
  /** The delayed messages of a topic, in the order of their publishes. */
  list(topic: string): Promise<readonly { readonly id: number; readonly value: string }[]>;
  /** These resolve to how many messages still waited. */
  move(topic: string, id: number, delayMs: number): Promise<number>;
  cancel(topic: string, id: number): Promise<number>;
  publishNow(topic: string, id: number): Promise<number>;
  /** Publishes a value at an interval. */
  schedule(name: string, topic: string, value: string, everyMs: number): Promise<void>;
  unschedule(name: string): Promise<void>;
}

export interface DeliveryConsumer extends AsyncDisposable {
  /** The next message, or undefined when none comes within the time (which a driver may lengthen). */
  receive(waitMs: number): Promise<Delivery | undefined>;
  /** Cuts the connection with all messages in flight, as a crash does. */
  abandon(): Promise<void>;
}

export interface Delivery {
  readonly value: Uint8Array;
  readonly key: string;
  readonly headers: HeaderList;
  /** 1 at first; 0 where the protocol does not say. */
  readonly deliveries: number;
  /** Each resolves when the broker has taken it, where the protocol tells. */
  ack(): Promise<void>;
  nack(): Promise<void>;
  nackLater(delayMs: number): Promise<void>;
  extend(): Promise<void>;
  reject(reason: string): Promise<void>;
  /** "Not now": holds the message, its key or the group for a time. */
  postpone(delayMs: number, scope: 'message' | 'key' | 'group'): Promise<void>;
}

export interface DeadLetter {
  readonly value: Uint8Array;
  readonly headers: HeaderList;
  readonly topic: string;
  readonly group: string;
  readonly offset: number;
  readonly key: string;
  readonly cause: string;
  readonly deliveries: number;
  readonly time: Date;
}
