import type { PostponeScope } from '../broker/index.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import { BoxError, problemOfPostpone, ValueError } from './errors.ts';
import { Message, valueOf, type MessageParts } from './message.ts';
import { checkOptions, checkValue, milliseconds, text, type Checks } from './options.ts';
import type { Receipt, Settlement } from './receipt.ts';

/** A message as delivered to a consumer, its value not decoded yet, with the receipt to answer it. */
export interface Incoming {
  readonly parts: MessageParts;
  readonly receipt: Receipt;
}

/** Options of a nack: when the message comes again, and why. */
export interface NackOptions {
  /** At most 2^31 - 1, about 24 days. */
  readonly delayMs?: number;
  readonly reason?: string;
}

/** Options of a postponement: for how long, and what is held. Default scope `message`. */
export interface PostponeOptions {
  readonly delayMs: number;
  readonly scope?: PostponeScope;
}

const nackChecks: Checks<NackOptions> = { delayMs: milliseconds(), reason: text };

export function checkNack(options: NackOptions): void {
  checkOptions('nack()', options, nackChecks);
}

/** Gives this package access to the private receipt of a delivery. */
export let receiptOf: (delivery: Delivery<unknown>) => Receipt;

/**
 * A delivery is a message handed to one consumer of a group. It is to be answered before the group's
 * `ackWaitMs` is over; unanswered, it is delivered again. Only the first answer counts. The promises resolve,
 * once the answer is on disk, to whether it did: `false` means that it was too late, or not the first.
 * Callers may ignore them (`void delivery.ack()`): answers go to disk in the order they were given, awaited
 * or not.
 */
export class Delivery<T> extends Message<T> {
  /** 1 for the first delivery of this message to the group. */
  readonly deliveries: number;
  /** The priority that the message was published with. */
  readonly priority: number;
  readonly #receipt: Receipt;
  readonly #context: BoxContext;

  static {
    receiptOf = (delivery) => delivery.#receipt;
  }

  constructor(context: BoxContext, { parts, receipt }: Incoming, value: T) {
    super(parts, value);
    this.#context = context;
    this.#receipt = receipt;
    this.deliveries = receipt.deliveries;
    this.priority = receipt.priority;
  }

  get settled(): Settlement | undefined {
    return this.#receipt.settled;
  }

  /** Acks: the group is done with the message. */
  ack(): Promise<boolean> {
    return this.#context.answerOf(this.#receipt.ack());
  }

  /**
   * Nacks: the message failed, or cannot be handled now. It comes again after `delayMs`, by default the
   * group's backoff. The `reason` of the last nack shows in the dead letter's cause.
   */
  nack(options: NackOptions = {}): Promise<boolean> {
    checkNack(options);
    return this.#context.answerOf(this.#receipt.nack(options.delayMs, options.reason));
  }

  /**
   * Says "not now": the message was not handled, which is no failure. It comes again after `delayMs`. With
   * `scope: 'key'` or `'group'` nothing of its key, or of the whole group, is delivered until then; a key
   * needs a group with `ordering: 'key'`.
   */
  postpone({ delayMs, scope = 'message' }: PostponeOptions): Promise<boolean> {
    const problem = problemOfPostpone(delayMs, scope);
    if (problem !== undefined)
      throw new BoxError('option-invalid', `postpone() cannot be called so: ${problem}.`);
    return this.#context.answerOf(this.#receipt.postpone(delayMs, scope));
  }

  /** Rejects: the message goes to the group's dead-letter topic with this reason, without further tries. */
  reject(reason: string): Promise<boolean> {
    checkValue('reject()', 'the reason', reason, text);
    return this.#context.answerOf(this.#receipt.reject(reason));
  }

  /** Asks for more time: `ackWaitMs` starts again. Returns false if the time is already up. */
  extend(): boolean {
    return this.#receipt.extend();
  }
}

/**
 * Decodes the value of a message. A message that cannot be decoded is rejected, since it would fail every
 * time; the result is undefined then.
 */
export function read<T>(
  context: BoxContext,
  codec: AnyCodec,
  incoming: Incoming,
): Delivery<T> | undefined | Promise<Delivery<T> | undefined> {
  const refused = (error: unknown): undefined => {
    incoming.receipt.reject(error instanceof ValueError ? error.message : String(error));
    return undefined;
  };
  try {
    const value = valueOf<T>(codec, incoming.parts);
    if (!(value instanceof Promise)) return new Delivery(context, incoming, value);
    return value.then((value) => new Delivery(context, incoming, value), refused);
  } catch (error) {
    return refused(error);
  }
}
