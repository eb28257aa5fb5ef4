import type { Consumer } from './consumer.ts';

/** The consumers of a group take turns: one message each, in the order in which they came. */
export class Consumers {
  readonly #consumers: Consumer[] = [];
  #turn = 0;

  get count(): number {
    return this.#consumers.length;
  }

  add(consumer: Consumer): void {
    this.#consumers.push(consumer);
  }

  /** False when it was not there. */
  remove(consumer: Consumer): boolean {
    const at = this.#consumers.indexOf(consumer);
    if (at < 0) return false;
    this.#consumers.splice(at, 1);
    if (at < this.#turn) this.#turn--;
    return true;
  }

  removeAll(): Consumer[] {
    return this.#consumers.splice(0);
  }

  /** The next one that has credit. */
  next(): Consumer | undefined {
    const consumers = this.#consumers;
    const count = consumers.length;
    if (this.#turn >= count) this.#turn = 0;
    for (let i = 0; i < count; i++) {
      const at = this.#turn;
      this.#turn = at + 1 === count ? 0 : at + 1;
      const consumer = consumers[at]!;
      if (consumer.credit > 0) return consumer;
    }
    return undefined;
  }
}
