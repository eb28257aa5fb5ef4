import type { Attributes, Broker, Topic } from '../../../broker/index.ts';
import { AmqpError, virtualHost } from '../errors.ts';
import { Exchanges, RoutingBudget } from '../exchanges/index.ts';
import { PublishTargets } from '../publish-targets.ts';
import { deleteTransientQueues, Queues } from '../queues.ts';
import { problemOfVhost, storedVhosts, vhostAttributes } from './vhost-name.ts';
import { VhostNames, vhostOf } from './vhost-names.ts';
import type { VirtualHost } from './virtual-host.ts';
import { Policies } from '../policies/index.ts';

const { protocol, prefix: attributePrefix } = vhostAttributes;

export interface VirtualHostsOptions {
  readonly broker: Broker;
  readonly consumerTimeoutMs: number;
  /** Exchanges and bindings of all virtual hosts together. */
  readonly bindingsMax: number;
  /** Is told of a virtual host that is deleted: its connections end. */
  readonly deleted: (vhost: VirtualHost) => void;
}

/** The virtual hosts of a server: `/`, and those that were created. They survive a restart. */
export class VirtualHosts {
  /** The virtual host `/`, which is always there. */
  readonly plain: VirtualHost;
  readonly policies: Policies;
  /** The budget of all exchanges and bindings. */
  readonly routing: RoutingBudget;
  readonly #broker: Broker;
  readonly #attributes: Attributes;
  readonly #options: VirtualHostsOptions;
  readonly #names: Set<string>;
  readonly #byName = new Map<string, VirtualHost>();

  constructor(options: VirtualHostsOptions) {
    this.policies = new Policies(options.broker.attributes);
    const { broker } = options;
    // The broker refuses objects of its own beyond `memory-max`; these are none.
    this.routing = new RoutingBudget(options.bindingsMax, () => broker.budgets.refusal('attributes', 0));
    this.#broker = broker;
    this.#attributes = broker.attributes;
    this.#options = options;
    deleteTransientQueues(broker);
    // All of them are known before the first one says which topics are its own.
    this.#names = new Set([virtualHost, ...storedVhosts(broker.attributes)]);
    for (const name of this.#names) this.#open(name);
    this.plain = this.#byName.get(virtualHost)!;
  }

  close(): void {
    for (const { exchanges, queues } of this.#byName.values()) {
      exchanges.close();
      queues.close();
    }
  }

  get(name: string): VirtualHost | undefined {
    return this.#byName.get(name);
  }

  /** The oldest first. */
  all(): Iterable<VirtualHost> {
    return this.#byName.values();
  }

  /** The virtual host that a topic is in. */
  of(topic: Pick<Topic, 'name'>): VirtualHost {
    return this.#byName.get(vhostOf(topic.name, this.#isVhost))!;
  }

  /**
   * Creates a virtual host, unless it is there; resolves when it is on disk. Rejects with
   * PRECONDITION_FAILED if it cannot have this name.
   */
  async create(name: string): Promise<VirtualHost> {
    const known = this.#byName.get(name);
    if (known) return known;
    const problem = problemOfVhost(name);
    if (problem !== undefined) throw new AmqpError('PRECONDITION_FAILED', problem);
    const kept = this.#attributes.set(protocol, attributePrefix + name, {});
    this.#names.add(name);
    const vhost = this.#open(name);
    this.#routesChanged();
    await kept.catch((error: unknown) => {
      this.#forget(vhost);
      throw error;
    });
    return vhost;
  }

  /**
   * Deletes a virtual host with all its queues and exchanges, in one commit; its connections end. Resolves
   * when that is on disk. Rejects with ACCESS_REFUSED for `/`.
   */
  async delete(vhost: VirtualHost): Promise<void> {
    const { name, exchanges } = vhost;
    if (vhost === this.plain)
      throw new AmqpError('ACCESS_REFUSED', `deletion of vhost '${name}' not allowed`);
    if (this.#byName.get(name) !== vhost) return;
    this.#options.deleted(vhost);
    const topics = Array.from(this.#broker.topics.values()).filter((topic) => this.of(topic) === vhost);
    const gone = [
      this.#attributes.set(protocol, attributePrefix + name, undefined),
      exchanges.deleteAll(),
      ...topics.map((topic) => topic.delete()),
    ];
    this.#forget(vhost);
    await Promise.all(gone);
  }

  readonly #isVhost = (name: string): boolean => this.#names.has(name);

  #open(name: string): VirtualHost {
    const names = new VhostNames(name, this.#isVhost);
    const vhost: VirtualHost = {
      name,
      exchanges: new Exchanges(this.#broker, names, this.policies, this.routing),
      targets: new PublishTargets(),
      queues: new Queues(this.#broker, this.#options.consumerTimeoutMs, names, this.policies),
    };
    this.#byName.set(name, vhost);
    return vhost;
  }

  #forget({ name, exchanges, queues }: VirtualHost): void {
    exchanges.close();
    queues.close();
    this.#byName.delete(name);
    this.#names.delete(name);
    this.#routesChanged();
  }

  /** Queues of `/` may have become those of another virtual host, or the other way round. */
  #routesChanged(): void {
    for (const { exchanges } of this.#byName.values()) exchanges.generation++;
  }
}
