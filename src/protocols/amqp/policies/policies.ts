import type { Attributes } from '../../../broker/index.ts';
import type { RegularPattern } from '../../patterns/index.ts';
import { namePattern } from '../name-pattern.ts';
import type { Policy } from './policy.ts';

/** The attributes of the broker that have the policies. */
const protocol = 'amqp-policies';

/** A queue, as far as policies look at it. */
export interface PolicySubject {
  readonly vhost: string;
  readonly name: string;
  /** `classic` or `quorum`. */
  readonly type: string;
}

/** The policies of all virtual hosts. They survive a restart. */
export class Policies {
  readonly #attributes: Attributes;
  readonly #patterns = new Map<string, RegularPattern>();
  /** By virtual host, the one that holds first. */
  #ordered: ReadonlyMap<string, readonly Policy[]> = new Map();

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
    this.#order();
  }

  get(vhost: string, name: string): Policy | undefined {
    return this.#attributes.get(protocol, keyOf(vhost, name)) as Policy | undefined;
  }

  /** Those of a virtual host, the one that holds first. */
  in(vhost: string): readonly Policy[] {
    return this.#ordered.get(vhost) ?? [];
  }

  /** The policy that holds for a queue. */
  of({ vhost, name, type }: PolicySubject): Policy | undefined {
    return this.in(vhost).find(
      ({ applyTo, pattern }) => isTarget(applyTo, type) && this.#patternOf(pattern)?.matches(name) === true,
    );
  }

  /** Applies to new queues at once, and resolves when it is on disk. */
  async set(policy: Policy): Promise<void> {
    const kept = this.#attributes.set(protocol, keyOf(policy.vhost, policy.name), policy);
    this.#order();
    await kept;
  }

  async delete({ vhost, name }: Pick<Policy, 'vhost' | 'name'>): Promise<void> {
    const gone = this.#attributes.set(protocol, keyOf(vhost, name), undefined);
    this.#order();
    await gone;
  }

  #order(): void {
    const byVhost = new Map<string, Policy[]>();
    for (const key of this.#attributes.names(protocol)) {
      const policy = this.#attributes.get(protocol, key) as Policy;
      byVhost.set(policy.vhost, [...(byVhost.get(policy.vhost) ?? []), policy]);
    }
    for (const policies of byVhost.values())
      policies.sort((one, other) => other.priority - one.priority || (one.name < other.name ? -1 : 1));
    this.#ordered = byVhost;
    this.#patterns.clear();
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

function isTarget(applyTo: Policy['applyTo'], type: string): boolean {
  switch (applyTo) {
    case 'all':
    case 'queues':
      return true;
    case 'classic_queues':
      return type === 'classic';
    case 'quorum_queues':
      return type === 'quorum';
    default:
      return applyTo satisfies never;
  }
}
