import type { Binding } from './binding.ts';
import type { Effort } from './effort.ts';
import type { Routed, Routing } from './routing.ts';

/** A message matches the bindings with its routing key. */
export class DirectRouting implements Routing {
  readonly isOfKey = true;
  readonly #byKey = new Map<string, Set<Binding>>();

  add(binding: Binding): void {
    const bindings = this.#byKey.get(binding.routingKey);
    if (bindings) bindings.add(binding);
    else this.#byKey.set(binding.routingKey, new Set([binding]));
  }

  remove(binding: Binding): void {
    const bindings = this.#byKey.get(binding.routingKey);
    bindings?.delete(binding);
    if (bindings?.size === 0) this.#byKey.delete(binding.routingKey);
  }

  match({ routingKeys }: Routed, _: Effort, found: (binding: Binding) => void): void {
    for (const key of routingKeys) for (const binding of this.#byKey.get(key) ?? []) found(binding);
  }
}
