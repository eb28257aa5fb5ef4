import type { Clock, Timer } from '../../util/index.ts';
import type { AttachOptions, Consumer, ConsumerEnd, Delivery, DetachOptions, Overflow } from '../model.ts';

/** The part of a group that a collector uses. */
interface CollectedGroup {
  attach(consumer: Consumer, options?: AttachOptions): void;
  detach(consumer: Consumer, options?: DetachOptions): void;
  wake(consumer: Consumer): void;
  /** See {@link Group.whenIdle}. */
  whenIdle(callback: () => void): () => void;
}

/** Limits of a collector, and when it is complete. */
export interface CollectorOptions {
  /** Maximum number of messages; the collector is complete when it has them. */
  readonly messagesMax: number;
  /** Maximum number of bytes, as its listener counts them. Default: no limit. */
  readonly bytesMax?: number;
  /** Whether the first message is taken however large it is. Default false. */
  readonly takesAnyFirst?: boolean;
  /**
   * With this many messages or bytes, the collector is complete as soon as the current deliveries have been
   * made. Default: never.
   */
  readonly messagesMin?: number;
  readonly bytesMin?: number;
  /** The collector expires after this many milliseconds. Default: never. */
  readonly waitMs?: number;
  /** The collector is complete this many milliseconds after its first message. Default: never. */
  readonly lingerMs?: number;
  /** `answer`: the collector is complete as soon as its group has nothing to deliver. Default `wait`. */
  readonly idle?: 'wait' | 'answer';
  /** Bytes that a delivery will count against `bytesMax`. Default: its key, headers and value. */
  readonly sizeOf?: (delivery: Delivery) => number;
  readonly ackWaitMs?: number;
  readonly partitions?: ReadonlySet<number>;
  readonly label?: string;
  readonly connection?: number;
  readonly priority?: number;
  readonly member?: string;
  readonly overflow?: Overflow;
  /** See {@link Consumer.presence}. Default `pulls-and-answers`. */
  readonly presence?: 'pulls-and-answers' | 'pulls';
}

/**
 * How a collector ended: it reached a maximum (`full`), or a minimum or its linger time (`enough`); its group
 * had nothing left (`idle`); its time was over (`expired`); the next message does not fit (`too-large`); its
 * listener ended it (`left`); or its group is gone.
 */
export type CollectorEnd = 'full' | 'enough' | 'idle' | 'expired' | 'too-large' | 'left' | ConsumerEnd;

export interface CollectorListener {
  /**
   * Takes one delivery, an object that is reused after the call. Returns the bytes it counts against the
   * limit.
   */
  collected(delivery: Delivery): number;
  /** Called once, at the end: no delivery follows. */
  completed(end: CollectorEnd): void;
  /** See {@link Consumer.activated}. */
  activated?(): void;
  deactivated?(): void;
}

/**
 * A collector is one pull: a consumer that takes messages of a group until it has enough, or until its time
 * is over. All protocols with pull requests use it. It completes or expires exactly once. On leaving it keeps
 * its deliveries (`keep`).
 *
 * For a pull over several groups, the collector itself is not attached. Consumers of the protocol pass their
 * deliveries to it, and use its credit.
 */
export class Collector implements Consumer {
  readonly ackWaitMs: number | undefined;
  declare readonly partitions?: ReadonlySet<number>;
  declare readonly sizeOf?: (delivery: Delivery) => number;
  declare readonly label?: string;
  declare readonly connection?: number;
  declare readonly priority?: number;
  declare readonly overflow?: Overflow;
  readonly presence: 'pulls-and-answers' | 'pulls';
  #member: string | undefined;
  readonly #clock: Clock;
  readonly #listener: CollectorListener;
  readonly #messagesMin: number;
  readonly #bytesMin: number;
  readonly #takesAnyFirst: boolean;
  readonly #lingerMs: number | undefined;
  #idle: 'wait' | 'answer';
  #group: CollectedGroup | undefined = undefined;
  #expiry: Timer | undefined = undefined;
  #linger: Timer | undefined = undefined;
  #messagesLeft: number;
  #bytesLeft: number;
  #messages = 0;
  #bytes = 0;
  #isHeld = false;
  #isEnding = false;
  #callOffIdle: (() => void) | undefined = undefined;
  #ended: CollectorEnd | undefined = undefined;

  constructor(clock: Clock, options: CollectorOptions, listener: CollectorListener) {
    this.#clock = clock;
    this.#listener = listener;
    this.#messagesLeft = options.messagesMax;
    this.#bytesLeft = options.bytesMax ?? Infinity;
    this.#messagesMin = options.messagesMin ?? Infinity;
    this.#bytesMin = options.bytesMin ?? Infinity;
    this.#takesAnyFirst = options.takesAnyFirst ?? false;
    this.#lingerMs = options.lingerMs;
    this.#idle = options.idle ?? 'wait';
    this.ackWaitMs = options.ackWaitMs;
    if (options.partitions !== undefined) this.partitions = options.partitions;
    if (options.sizeOf !== undefined) this.sizeOf = options.sizeOf;
    if (options.label !== undefined) this.label = options.label;
    if (options.connection !== undefined) this.connection = options.connection;
    if (options.priority !== undefined) this.priority = options.priority;
    if (options.overflow !== undefined) this.overflow = options.overflow;
    this.presence = options.presence ?? 'pulls-and-answers';
    this.#member = options.member;
    const { waitMs = Infinity } = options;
    if (waitMs < Infinity) this.#expiry = clock.setTimer(waitMs, () => this.end('expired'));
  }

  /** Joins the group as a consumer. Throws a BrokerError of code `consumer-exclusive`, and has then ended. */
  attach(group: CollectedGroup, options?: AttachOptions): void {
    if (this.#ended !== undefined) return;
    this.#group = group;
    try {
      group.attach(this, options);
    } catch (error) {
      this.end();
      throw error;
    }
    this.#watchIdle();
  }

  /** Number of messages taken so far. */
  get messages(): number {
    return this.#messages;
  }

  get messagesLeft(): number {
    return this.#messagesLeft;
  }

  get bytesLeft(): number {
    return this.#bytesLeft;
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** From now on the collector is complete as soon as its group has nothing to deliver. */
  answerWhenIdle(): void {
    this.#idle = 'answer';
    this.#watchIdle();
  }

  /** Stops taking messages until {@link resume}: the client is reading too slowly. */
  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    if (this.#ended === undefined) this.#group?.wake(this);
  }

  /** Makes the collector one of a member. Only for one that has no member yet. */
  joinMember(member: string): void {
    this.#member = member;
  }

  // ---- Consumer

  get member(): string | undefined {
    return this.#member;
  }

  activated(): void {
    this.#listener.activated?.();
  }

  deactivated(): void {
    this.#listener.deactivated?.();
  }

  get credit(): number {
    return this.#isHeld || this.#ended !== undefined ? 0 : this.#messagesLeft;
  }

  get creditBytes(): number {
    return this.#takesAnyFirst && this.#messages === 0 ? Infinity : this.#bytesLeft;
  }

  receive(delivery: Delivery): void {
    this.count(this.#listener.collected(delivery));
  }

  refused(): void {
    this.end('too-large');
  }

  ended(reason: ConsumerEnd): void {
    this.end(reason);
  }

  /** Counts one more message, of this many bytes. */
  count(bytes: number): void {
    this.#messages++;
    this.#messagesLeft--;
    this.#bytes += bytes;
    this.#bytesLeft = Math.max(0, this.#bytesLeft - bytes);
    if (this.#messagesLeft === 0 || this.#bytesLeft === 0) this.end('full');
    else if (this.#messages >= this.#messagesMin || this.#bytes >= this.#bytesMin) this.endSoon();
    else if (this.#lingerMs !== undefined && this.#messages === 1)
      this.#linger = this.#clock.setTimer(this.#lingerMs, () => this.end('enough'));
  }

  /** Ends the collector now. Does nothing if it has ended. */
  end(end: CollectorEnd = 'left'): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    this.#expiry?.cancel();
    this.#linger?.cancel();
    this.#callOffIdle?.();
    this.#group?.detach(this, { returns: end !== 'left' || this.presence === 'pulls' });
    this.#listener.completed(end);
  }

  /**
   * The collector has enough: it ends after the current deliveries, which are made in one synchronous run of
   * the group.
   */
  endSoon(): void {
    if (this.#isEnding || this.#ended !== undefined) return;
    this.#isEnding = true;
    this.#clock.defer(() => this.end('enough'));
  }

  #watchIdle(): void {
    if (this.#idle === 'wait' || this.#callOffIdle || !this.#group) return;
    this.#callOffIdle = this.#group.whenIdle(() => this.end('idle'));
  }
}
