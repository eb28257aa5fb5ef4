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

  /** The next one that has credit; its turn lasts until {@link turnTaken}. */
  next(): Consumer | undefined {
    const consumers = this.#consumers;
    const count = consumers.length;
    for (let i = 0; i < count; i++) {
      if (this.#turn >= count) this.#turn = 0;
      const consumer = consumers[this.#turn]!;
      if (consumer.credit > 0) return consumer;
      this.#turn++;
    }
    return undefined;
  }

  /** The one that {@link next} named has had its turn. */
  turnTaken(): void {
    this.#turn++;
  }
}
