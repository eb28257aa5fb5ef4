import { AmqpError } from '../errors.ts';

/**
 * Steps that routing one message may take: some 50 ms. A step is a word of a routing key at a node of the
 * patterns, an argument of a headers binding, or a
 * binding to choose from by a hash.
 */
export const effortMax = 100_000;

/**
 * The effort of routing one message, in steps. Patterns with many `#`, headers bindings with many arguments
 * and messages with many routing keys multiply each other.
 */
export class Effort {
  #steps = 0;

  get steps(): number {
    return this.#steps;
  }

  /** Throws PRECONDITION_FAILED when the message takes too many steps. */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > effortMax)
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `routing this message takes more than ${effortMax} steps; use fewer patterns with #, header arguments, hashed bindings or routing keys`,
      );
  }
}
