import type { AttributeEntry } from './entries.ts';
import type { Budgets } from './budgets.ts';
import type { BrokerError } from './errors.ts';

/** The services that the broker offers to attributes. */
export interface AttributesHost {
  /** The reason why nothing can be changed any more, if any. */
  readonly refusal: BrokerError | undefined;
  record(entry: AttributeEntry): void;
  afterCommit(callback: () => void): void;
}

/**
 * Attributes are durable facts of protocols, in their own vocabulary, about objects that do not exist yet or
 * have no place in the model: a JSON value by protocol and name. Facts about an existing topic or group are
 * part of its configuration.
 */
export class Attributes {
  readonly #host: AttributesHost;
  readonly #budgets: Budgets;
  readonly #byProtocol = new Map<string, Map<string, unknown>>();

  constructor(host: AttributesHost, budgets: Budgets) {
    this.#host = host;
    this.#budgets = budgets;
  }

  names(protocol: string): Iterable<string> {
    return this.#byProtocol.get(protocol)?.keys() ?? [];
  }

  /** Undefined if there is no attribute of that name. */
  get(protocol: string, name: string): unknown {
    return this.#byProtocol.get(protocol)?.get(name);
  }

  /**
   * Why an attribute cannot have this value; undefined if it can. A value that takes no more room is never
   * refused.
   */
  refusalOf(protocol: string, name: string, value: unknown): BrokerError | undefined {
    if (this.#host.refusal) return this.#host.refusal;
    const more = chargeOf(value) - chargeOf(this.get(protocol, name));
    return more > 0 ? this.#budgets.refusal('attributes', more) : undefined;
  }

  /**
   * Sets an attribute; undefined removes it. The change is visible at once, and the promise resolves when it
   * is durable. Rejects with a BrokerError, see {@link refusalOf}.
   */
  set(protocol: string, name: string, value: unknown): Promise<void> {
    const refusal = this.refusalOf(protocol, name, value);
    if (refusal) return Promise.reject(refusal);
    const entry = { protocol, name, value };
    this.restore(entry);
    this.#host.record(entry);
    return new Promise((resolve) => this.#host.afterCommit(resolve));
  }

  /** Replays a stored attribute. */
  restore({ protocol, name, value }: AttributeEntry): void {
    const attributes = this.#byProtocol.get(protocol) ?? new Map<string, unknown>();
    this.#byProtocol.set(protocol, attributes);
    this.#budgets.take('attributes', chargeOf(value) - chargeOf(attributes.get(name)));
    if (value === undefined) attributes.delete(name);
    else attributes.set(name, value);
  }

  /** All attributes, for a checkpoint. */
  *entries(): Iterable<AttributeEntry> {
    for (const [protocol, attributes] of this.#byProtocol)
      for (const [name, value] of attributes) yield { protocol, name, value };
  }
}

/** The charge of a value: one, plus one per full KiB of its JSON. */
function chargeOf(value: unknown): number {
  return value === undefined ? 0 : 1 + Math.floor(JSON.stringify(value).length / 1024);
}
