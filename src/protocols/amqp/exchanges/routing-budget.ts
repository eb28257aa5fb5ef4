import { memoryForObjectsBytes } from '../../../util/index.ts';
import { AmqpError } from '../errors.ts';

/** The share of memory that exchanges and bindings may take, and what a charge of one takes at most. */
const share = 0.1;
const bytesEach = 2048;
/** The smallest default, even on a small machine. */
const limitMin = 1000;

/** The default limit, sized to the memory there is, as the budgets of the broker are. */
export function routingLimit(memoryBytes: number = memoryForObjectsBytes()): number {
  return Math.max(limitMin, Math.floor((memoryBytes * share) / bytesEach));
}

/**
 * The routing budget counts exchanges and bindings of all virtual hosts, durable or not. Durable ones also
 * count towards the attributes of the broker, which bound what is on disk.
 */
export class RoutingBudget {
  readonly limit: number;
  /** Why the broker takes nothing more, if it does not. */
  readonly #shortage: () => Error | undefined;
  #used = 0;

  constructor(limit: number, shortage: () => Error | undefined) {
    this.limit = limit;
    this.#shortage = shortage;
  }

  get used(): number {
    return this.#used;
  }

  /**
   * Throws PRECONDITION_FAILED, or the shortage, if this much more cannot be: `cannot declare exchange …`.
   */
  check(charge: number, cannot: string): void {
    const shortage = this.#shortage();
    if (shortage) throw shortage;
    if (this.#used + charge > this.limit)
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `${cannot}: limit of ${this.limit} exchanges and bindings is reached; delete some, or raise amqp-bindings-max`,
      );
  }

  take(charge: number): void {
    this.#used += charge;
  }

  release(charge: number): void {
    this.#used -= charge;
  }
}

/**
 * The charge of an exchange or a binding: one, and one more for each 64 bytes of its routing key and its
 * arguments, which may be many words of a pattern, or many headers.
 */
export function chargeOf(encodedArguments: Uint8Array, routingKey: string = ''): number {
  return 1 + Math.floor((Buffer.byteLength(routingKey) + encodedArguments.length) / 64);
}
