import type { Binding } from './binding.ts';
import type { Effort } from './effort.ts';
import type { Routed, Routing } from './routing.ts';

/** Every message matches every binding. */
export class FanoutRouting implements Routing {
  readonly isOfKey = true;
  readonly #bindings = new Set<Binding>();

  add(binding: Binding): void {
    this.#bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.#bindings.delete(binding);
  }

  match(_: Routed, __: Effort, found: (binding: Binding) => void): void {
    for (const binding of this.#bindings) found(binding);
  }
}
