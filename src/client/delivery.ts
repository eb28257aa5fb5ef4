import { BoxError, checks, ValueError, type AnyCodec, type Checks } from '../embedded/values.ts';
import type { Held, Settlement } from './held.ts';
import { Message, valueOf } from './message.ts';

/** Options of a nack: when the message comes again, and why. */
export interface NackOptions {
  /** Default: the group's backoff. */
  readonly delayMs?: number;
  readonly reason?: string;
}

const nackChecks: Checks<NackOptions> = { delayMs: checks.milliseconds(), reason: checks.text };

/**
 * A delivery is a message handed to one consumer of a group. Only the first answer counts. The promises
 * resolve, once the target has taken the answer, to whether it did. Callers may ignore them.
 */
export class Delivery<T> extends Message<T> {
  /** 1 for the first delivery of this message to the group. */
  readonly deliveries: number;
  readonly #held: Held;

  constructor(held: Held, value: T) {
    super(held.incoming.message, value);
    this.#held = held;
    this.deliveries = held.incoming.deliveries;
  }

  get settled(): Settlement | undefined {
    return this.#held.settled;
  }

  /** Acks: the group is done with the message. */
  ack(): Promise<boolean> {
    return this.#held.answer({ kind: 'ack' }, true);
  }

  /**
   * Nacks: the message failed. It comes again after `delayMs`, or is given up after `maxDeliver` deliveries.
   */
  nack(options: NackOptions = {}): Promise<boolean> {
    checks.checkOptions('nack()', options, nackChecks);
    return this.#held.answer(this.#held.retry(options.reason ?? '', options.delayMs), true);
  }

  /** Rejects: the message becomes a dead letter with this reason, without further tries. */
  reject(reason: string): Promise<boolean> {
    if (typeof reason !== 'string')
      throw new BoxError('option-invalid', 'reject() takes the reason, as a text.');
    return this.#held.answer({ kind: 'dead', cause: 'rejected', reason }, true);
  }

  /** Asks for more time: the group's `ackWaitMs` starts again. Needed only without heartbeats. */
  extend(): void {
    if (this.#held.settled === undefined) this.#held.incoming.extend();
  }
}

/**
 * Decodes the value of a message. A message that cannot be decoded is rejected, since it would fail every
 * time; the result is undefined then.
 */
export async function read<T>(codec: AnyCodec, held: Held): Promise<Delivery<T> | undefined> {
  try {
    const value = valueOf<T>(codec, held.incoming.message);
    return new Delivery<T>(held, value instanceof Promise ? await value : value);
  } catch (error) {
    const reason = error instanceof ValueError ? error.message : String(error);
    void held.answer({ kind: 'dead', cause: 'rejected', reason }, false);
    return undefined;
  }
}
