import type { AttributeEntry } from './entries.ts';
import type { BrokerError } from './errors.ts';

/** What attributes need from the broker around them. */
export interface AttributesHost {
  /** Why nothing can be changed any more, if so. */
  readonly refusal: BrokerError | undefined;
  record(entry: AttributeEntry): void;
  afterCommit(callback: () => void): void;
}

/**
 * Attributes are what protocols remember, durably, in their own vocabulary, of what is not there yet or has
 * no place in the model: a JSON value by protocol and name. What belongs to a topic or a group that is there
 * stands in its configuration.
 */
export class Attributes {
  readonly #host: AttributesHost;
  readonly #byProtocol = new Map<string, Map<string, unknown>>();

  constructor(host: AttributesHost) {
    this.#host = host;
  }

  /** How many a protocol has. Whoever sets them keeps them few. */
  count(protocol: string): number {
    return this.#byProtocol.get(protocol)?.size ?? 0;
  }

  names(protocol: string): Iterable<string> {
    return this.#byProtocol.get(protocol)?.keys() ?? [];
  }

  /** Undefined: there is none of that name. */
  get(protocol: string, name: string): unknown {
    return this.#byProtocol.get(protocol)?.get(name);
  }

  /** Undefined takes it away. It counts at once, and resolves when it is durable. */
  set(protocol: string, name: string, value: unknown): Promise<void> {
    if (this.#host.refusal) return Promise.reject(this.#host.refusal);
    const entry = { protocol, name, value };
    this.restore(entry);
    this.#host.record(entry);
    return new Promise((resolve) => this.#host.afterCommit(resolve));
  }

  /** Replays what was set. */
  restore({ protocol, name, value }: AttributeEntry): void {
    const attributes = this.#byProtocol.get(protocol) ?? new Map<string, unknown>();
    this.#byProtocol.set(protocol, attributes);
    if (value === undefined) attributes.delete(name);
    else attributes.set(name, value);
  }

  /** For a checkpoint. */
  *entries(): Iterable<AttributeEntry> {
    for (const [protocol, attributes] of this.#byProtocol)
      for (const [name, value] of attributes) yield { protocol, name, value };
  }
}
