import type { Clock, Timer } from '../../util/index.ts';
import type { Consumer, ConsumerEnd, Delivery } from '../model.ts';

/** A group as a collector takes from it. */
interface CollectedGroup {
  attach(consumer: Consumer): void;
  detach(consumer: Consumer): void;
  wake(): void;
  /** See {@link Group.whenIdle}. */
  whenIdle(callback: () => void): () => void;
}

/** What a collector takes, and when it is complete. */
export interface CollectorOptions {
  /** It takes so many messages at most, and is complete with them. */
  readonly messagesMax: number;
  /** It takes so many bytes at most, as its listener counts them. Default: any number. */
  readonly bytesMax?: number;
  /** The first message counts as one that fits, however large it is. Default false. */
  readonly takesAnyFirst?: boolean;
  /**
   * With so many messages or bytes it is complete as soon as the deliveries under way have been made.
   * Default: never.
   */
  readonly messagesMin?: number;
  readonly bytesMin?: number;
  /** It expires after so many milliseconds. Default: never. */
  readonly waitMs?: number;
  /** It is complete so many milliseconds after its first message. Default: never. */
  readonly lingerMs?: number;
  /** `answer`: it is complete as soon as its group has nothing to deliver. Default `wait`. */
  readonly idle?: 'wait' | 'answer';
  /** What a delivery will count for against `bytesMax`. Default: its key, headers and value. */
  readonly sizeOf?: (delivery: Delivery) => number;
  readonly ackWaitMs?: number;
  readonly partitions?: ReadonlySet<number>;
  readonly label?: string;
  readonly connection?: number;
}

/**
 * How a collector ended: it took all it may (`full`), or as many as are enough (`enough`); its group had
 * nothing left (`idle`); its time was over (`expired`); the next message does not fit (`too-large`); its
 * listener ended it (`left`); or its group is gone.
 */
export type CollectorEnd = 'full' | 'enough' | 'idle' | 'expired' | 'too-large' | 'left' | ConsumerEnd;

export interface CollectorListener {
  /** Takes one delivery, which moves on afterwards. Returns the bytes that it counts for. */
  collected(delivery: Delivery): number;
  /** Called once, at the end: nothing more is collected. */
  completed(end: CollectorEnd): void;
}

/**
 * A collector is one pull: a consumer that takes messages of a group until it has enough, or its time is
 * over. Every protocol that asks for messages asks with one. It completes once or expires; what it took stays
 * with it (`keep`).
 *
 * A pull over several groups is a collector that is not attached itself: consumers of its protocol hand it
 * their deliveries, and take their credit from it.
 */
export class Collector implements Consumer {
  readonly ackWaitMs: number | undefined;
  declare readonly partitions?: ReadonlySet<number>;
  declare readonly sizeOf?: (delivery: Delivery) => number;
  declare readonly label?: string;
  declare readonly connection?: number;
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
    const { waitMs = Infinity } = options;
    if (waitMs < Infinity) this.#expiry = clock.setTimer(waitMs, () => this.end('expired'));
  }

  /** Joins the group, as a consumer of it. */
  attach(group: CollectedGroup): void {
    if (this.#ended !== undefined) return;
    this.#group = group;
    group.attach(this);
    this.#watchIdle();
  }

  /** Messages taken so far. */
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

  /** From now on it is complete as soon as its group has nothing to deliver. */
  answerWhenIdle(): void {
    this.#idle = 'answer';
    this.#watchIdle();
  }

  /** Takes nothing, for a while: the reader is behind. */
  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    if (this.#ended === undefined) this.#group?.wake();
  }

  // ---- Consumer

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

  /** One message more was taken, of so many bytes. */
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

  /** Ends it now. Does nothing when it has ended. */
  end(end: CollectorEnd = 'left'): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    this.#expiry?.cancel();
    this.#linger?.cancel();
    this.#callOffIdle?.();
    this.#group?.detach(this);
    this.#listener.completed(end);
  }

  /**
   * What it has is enough: it ends once the deliveries under way have been made, in one synchronous run of
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
