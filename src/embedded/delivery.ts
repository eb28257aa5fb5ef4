import type { AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import { ValueError } from './errors.ts';
import { Message, valueOf, type MessageParts } from './message.ts';
import { checkOptions, checkValue, milliseconds, text, type Checks } from './options.ts';
import type { Receipt, Settlement } from './receipt.ts';

/** A message as it was handed to a consumer, unread, with the receipt to answer it. */
export interface Incoming {
  readonly parts: MessageParts;
  readonly receipt: Receipt;
}

/** How a message goes back. */
export interface NackOptions {
  /** At most 2^31 - 1, some 24 days. */
  readonly delayMs?: number;
  readonly reason?: string;
}

const nackChecks: Checks<NackOptions> = { delayMs: milliseconds(), reason: text };

export function checkNack(options: NackOptions): void {
  checkOptions('nack()', options, nackChecks);
}

/** The receipt behind a delivery, which is nobody else's business. */
export let receiptOf: (delivery: Delivery<unknown>) => Receipt;

/**
 * A delivery is a message handed to one consumer of a group, to be answered before the group's `ackWaitMs` is
 * over. Unanswered, it is delivered again. The first answer counts; the promises tell, once that is on disk,
 * whether it did: `false` means too late, or answered before. They may be left alone (`void delivery.ack()`):
 * answers go to disk in the order they were given, with or without somebody waiting.
 */
export class Delivery<T> extends Message<T> {
  /** 1 for the first delivery of this message to the group. */
  readonly deliveries: number;
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
  }

  get settled(): Settlement | undefined {
    return this.#receipt.settled;
  }

  /** The message is done, for this group. */
  ack(): Promise<boolean> {
    return this.#context.answerOf(this.#receipt.ack());
  }

  /**
   * It failed, or cannot be done now: again, after `delayMs`, by default the group's backoff. The `reason` of
   * the last time shows in the dead letter's cause.
   */
  nack(options: NackOptions = {}): Promise<boolean> {
    checkNack(options);
    return this.#context.answerOf(this.#receipt.nack(options.delayMs, options.reason));
  }

  /** Trying again is pointless: to the group's dead-letter topic, with this reason. */
  reject(reason: string): Promise<boolean> {
    checkValue('reject()', 'the reason', reason, text);
    return this.#context.answerOf(this.#receipt.reject(reason));
  }

  /** It takes longer: `ackWaitMs` begins again. False when the time is up already. */
  extend(): boolean {
    return this.#receipt.extend();
  }
}

/**
 * Reads the value. What is none is rejected, since it would be none the next time too; the answer is then
 * undefined.
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
