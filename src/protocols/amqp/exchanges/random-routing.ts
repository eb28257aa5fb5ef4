import type { Random } from '../../../util/index.ts';
import type { Binding } from './binding.ts';
import type { Effort } from './effort.ts';
import type { Routed, Routing } from './routing.ts';

/** Each message goes to one binding, which is chosen at random. */
export class RandomRouting implements Routing {
  readonly isOfKey = false;
  readonly #random: Random;
  readonly #bindings: Binding[] = [];
  /** Where each binding stands in the list. */
  readonly #places = new Map<Binding, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  add(binding: Binding): void {
    this.#places.set(binding, this.#bindings.length);
    this.#bindings.push(binding);
  }

  remove(binding: Binding): void {
    const place = this.#places.get(binding);
    if (place === undefined) return;
    this.#places.delete(binding);
    const last = this.#bindings.pop()!;
    if (last === binding) return;
    this.#bindings[place] = last;
    this.#places.set(last, place);
  }

  match(_: Routed, __: Effort, found: (binding: Binding) => void): void {
    if (this.#bindings.length > 0) found(this.#bindings[this.#random.int(this.#bindings.length)]!);
  }
}
