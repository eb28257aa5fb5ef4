import type { Random } from '../../../util/index.ts';
import type { Binding } from './binding.ts';
import type { Effort } from './effort.ts';
import type { Routed, Routing } from './routing.ts';

/** Each message goes to one binding, which is chosen at random. */
export class RandomRouting implements Routing {
  readonly isOfKey = false;
  readonly #random: Random;
  readonly #bindings: Binding[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  add(binding: Binding): void {
    this.#bindings.push(binding);
  }

  remove(binding: Binding): void {
    const at = this.#bindings.indexOf(binding);
    if (at >= 0) this.#bindings.splice(at, 1);
  }

  match(_: Routed, __: Effort, found: (binding: Binding) => void): void {
    if (this.#bindings.length > 0) found(this.#bindings[this.#random.int(this.#bindings.length)]!);
  }
}
