import type { Attributes } from '../../../broker/index.ts';
import type { RegularPattern } from '../../patterns/index.ts';
import { namePattern } from '../name-pattern.ts';
import { isFor, type Policy, type PolicySubject } from './policy.ts';

/** The policies of one kind, of all virtual hosts. They survive a restart. */
export class PolicyTable {
  /** Changes with each of them. */
  generation = 0;
  readonly #attributes: Attributes;
  readonly #scope: string;
  readonly #patterns = new Map<string, RegularPattern>();
  /** By virtual host, the one that holds first. */
  #ordered: ReadonlyMap<string, readonly Policy[]> = new Map();

  /** `scope` names the attributes of the broker that have them. */
  constructor(attributes: Attributes, scope: string) {
    this.#attributes = attributes;
    this.#scope = scope;
    this.#order();
  }

  get(vhost: string, name: string): Policy | undefined {
    return this.#attributes.get(this.#scope, keyOf(vhost, name)) as Policy | undefined;
  }

  /** Those of a virtual host, the one that holds first. */
  in(vhost: string): readonly Policy[] {
    return this.#ordered.get(vhost) ?? [];
  }

  /** The policy that holds for a queue or an exchange. */
  of({ vhost, name, kind }: PolicySubject): Policy | undefined {
    return this.in(vhost).find(
      (policy) => isFor(policy, kind) && this.#patternOf(policy.pattern)?.matches(name) === true,
    );
  }

  /** Applies to new queues at once, and resolves when it is on disk. */
  async set(policy: Policy): Promise<void> {
    const kept = this.#attributes.set(this.#scope, keyOf(policy.vhost, policy.name), policy);
    this.#order();
    await kept;
  }

  async delete({ vhost, name }: Pick<Policy, 'vhost' | 'name'>): Promise<void> {
    const gone = this.#attributes.set(this.#scope, keyOf(vhost, name), undefined);
    this.#order();
    await gone;
  }

  #order(): void {
    const byVhost = new Map<string, Policy[]>();
    for (const key of this.#attributes.names(this.#scope)) {
      const policy = this.#attributes.get(this.#scope, key) as Policy;
      byVhost.set(policy.vhost, [...(byVhost.get(policy.vhost) ?? []), policy]);
    }
    for (const policies of byVhost.values())
      policies.sort((one, other) => other.priority - one.priority || (one.name < other.name ? -1 : 1));
    this.#ordered = byVhost;
    this.#patterns.clear();
    this.generation++;
  }

  /** Each pattern is parsed once; it was checked when it came. */
  #patternOf(source: string): RegularPattern | undefined {
    const known = this.#patterns.get(source);
    if (known) return known;
    const pattern = namePattern(source);
    if (typeof pattern === 'string') return undefined;
    this.#patterns.set(source, pattern);
    return pattern;
  }
}

function keyOf(vhost: string, name: string): string {
  return JSON.stringify([vhost, name]);
}
