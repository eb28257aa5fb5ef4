import type { Broker, Topic } from '../../../broker/index.ts';
import { encodeTable, type FieldTable } from '../../../wire/amqp/index.ts';
import { AmqpError, shownExchange } from '../errors.ts';
import type { Policies } from '../policies/index.ts';
import type { VhostNames } from '../vhosts/vhost-names.ts';
import { identityOf, type Binding, type Destination } from './binding.ts';
import { ExchangeStore, isDurableQueue, type KeptBinding } from './exchange-store.ts';
import { Exchange, type ExchangeDefinition } from './exchange.ts';
import { Reach, type Route } from './route.ts';
import { chargeOf, type RoutingBudget } from './routing-budget.ts';
import type { ExchangeType, Routed } from './routing.ts';

/** The queues that one dead letter may go to: some 10 ms. */
const queuesOfLetterMax = 1_024;

const predeclaredDefinition = {
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: new Map(),
} as const;

/** The exchanges that are there from the beginning, besides the default one. */
const predeclared: { readonly [name: string]: ExchangeType } = {
  'amq.direct': 'direct',
  'amq.fanout': 'fanout',
  'amq.topic': 'topic',
  'amq.headers': 'headers',
  'amq.match': 'headers',
};

/**
 * The exchanges of a virtual host, and the bindings between them and the queues. Durable ones survive a
 * restart. The default exchange has no object: it routes to the queue that the routing key names.
 */
export class Exchanges {
  /** Changes whenever a route may have changed. */
  generation = 0;
  /** Steps of routing, and of publishing to what it found, counted from the start. */
  steps = 0;
  /** The names of the virtual host that they are in. */
  readonly names: VhostNames;
  readonly #broker: Broker;
  readonly #policies: Policies;
  readonly #store: ExchangeStore;
  readonly #budget: RoutingBudget;
  readonly #byName = new Map<string, Exchange>();
  /** Bindings to each queue. */
  readonly #ofTopic = new Map<Topic, Set<Binding>>();
  readonly #forget: () => void;

  /** `names` are those of their virtual host; the budget is shared by all virtual hosts. */
  constructor(broker: Broker, names: VhostNames, policies: Policies, budget: RoutingBudget) {
    this.#broker = broker;
    this.#policies = policies;
    this.names = names;
    this.#budget = budget;
    this.#store = new ExchangeStore(broker.attributes, names.prefix);
    for (const [name, type] of Object.entries(predeclared))
      this.#add(this.#exchangeOf({ ...predeclaredDefinition, name, type }));
    this.#restore();
    this.#forget = broker.events.subscribe((event) => {
      if (event.kind === 'topic-created') this.generation++;
      else if (event.kind === 'topic-deleted') this.#topicDeleted(event.topic);
    });
  }

  close(): void {
    this.#forget();
  }

  get(name: string): Exchange | undefined {
    return this.#byName.get(name);
  }

  /** `exchange 'logs' in vhost '/'` */
  shown(name: string): string {
    return shownExchange(name, this.names.vhost);
  }

  /** Throws NOT_FOUND if there is no such exchange. */
  find(name: string): Exchange {
    const exchange = this.#byName.get(name);
    if (!exchange) throw new AmqpError('NOT_FOUND', `no ${this.shown(name)}`);
    return exchange;
  }

  /** How many there are, besides the default one. */
  get size(): number {
    return this.#byName.size;
  }

  all(): Iterable<Exchange> {
    return this.#byName.values();
  }

  /**
   * Adds an exchange; resolves when it is on disk, if it is durable. Rejects with PRECONDITION_FAILED if it
   * cannot be, or if there are too many.
   */
  async declare(definition: ExchangeDefinition): Promise<void> {
    const exchange = this.#exchangeOf(definition);
    this.#budget.check(exchange.charge, `cannot declare ${exchange.shown}`);
    this.#add(exchange);
    if (!definition.durable) return;
    await this.#store.keepExchange(definition).catch((error: unknown) => {
      this.#remove(exchange);
      throw error;
    });
  }

  /** Deletes an exchange and its bindings; resolves when that is on disk. */
  async delete(exchange: Exchange): Promise<void> {
    this.#remove(exchange);
    const gone = [...exchange.bindings.values(), ...exchange.incoming].map((binding) => this.unbind(binding));
    if (exchange.definition.durable) gone.push(this.#store.forgetExchange(exchange.name));
    await Promise.all(gone);
  }

  /** Forgets all exchanges and bindings, because their virtual host ends; resolves when that is on disk. */
  deleteAll(): Promise<void> {
    for (const exchange of Array.from(this.#byName.values())) {
      for (const binding of Array.from(exchange.bindings.values())) this.#unlink(binding);
      this.#remove(exchange);
    }
    return this.#store.forgetAll();
  }

  /**
   * Adds a binding unless it is there; resolves when it is on disk, if it is durable. Rejects as {@link
   * declare}.
   */
  async bind(
    source: Exchange,
    destination: Destination,
    routingKey: string,
    table: FieldTable,
  ): Promise<void> {
    source.routing.check?.(routingKey, table);
    const encoded = encodeTable(table);
    const identity = identityOf(source.name, destination, routingKey, encoded);
    if (source.bindings.has(identity)) return;
    const charge = chargeOf(encoded, routingKey);
    this.#budget.check(charge, `cannot bind to ${source.shown}`);
    const isDurable =
      source.definition.durable &&
      (destination.kind === 'queue'
        ? isDurableQueue(destination.topic)
        : destination.exchange.definition.durable);
    const binding: Binding = {
      source,
      destination,
      routingKey,
      arguments: table,
      identity,
      isDurable,
      charge,
    };
    this.#link(binding);
    if (!isDurable) return;
    await this.#store.keepBinding(binding).catch((error: unknown) => {
      this.#unlink(binding);
      throw error;
    });
  }

  /** The binding, if there is one. */
  binding(
    source: Exchange,
    destination: Destination,
    routingKey: string,
    table: FieldTable,
  ): Binding | undefined {
    return source.bindings.get(identityOf(source.name, destination, routingKey, encodeTable(table)));
  }

  /** Removes a binding; resolves when that is on disk. */
  async unbind(binding: Binding): Promise<void> {
    const { source, isDurable } = binding;
    if (!this.#unlink(binding)) return;
    const gone = isDurable ? [this.#store.forgetBinding(binding)] : [];
    const isLast = source.definition.autoDelete && source.bindings.size === 0;
    if (isLast && this.#byName.get(source.name) === source) gone.push(this.delete(source));
    await Promise.all(gone);
  }

  /** Other policies may hold for them now. */
  applyPolicies(): void {
    this.generation++;
  }

  /** The queue that a routing key names to the default exchange. */
  queueNamed(name: string): Topic | undefined {
    const topic = this.names.topicName(name);
    return topic === undefined ? undefined : this.#broker.topic(topic);
  }

  /** The queues that a message goes to, each once. Throws PRECONDITION_FAILED when that is too much work. */
  route(exchange: Exchange, message: Routed): Route {
    const reach = new Reach(this.#byName, message);
    try {
      reach.visit(exchange);
      return reach.route();
    } finally {
      this.steps += reach.effort.steps;
    }
  }

  /**
   * The queues that a dead letter goes to, each once. The broker moves it to all of them at once, so there
   * are so many at most. Nobody is told that it is too much work: then it goes to the queues that were found
   * until then.
   */
  routeLetter(exchange: Exchange, message: Routed): readonly Topic[] {
    const reach = new Reach(this.#byName, message, queuesOfLetterMax);
    try {
      reach.visit(exchange);
    } catch (error) {
      if (!(error instanceof AmqpError)) throw error;
    }
    const { topics, delayed } = reach.route();
    // The broker moves dead letters at once, so none of them is delayed.
    return [...new Set([...topics, ...delayed])];
  }

  #exchangeOf(definition: ExchangeDefinition): Exchange {
    const { vhost } = this.names;
    return new Exchange(definition, this.#broker.random, { policies: this.#policies, vhost });
  }

  #add(exchange: Exchange): void {
    this.#byName.set(exchange.name, exchange);
    this.#budget.take(exchange.charge);
    this.generation++;
  }

  #remove(exchange: Exchange): void {
    if (this.#byName.get(exchange.name) !== exchange) return;
    this.#byName.delete(exchange.name);
    this.#budget.release(exchange.charge);
    this.generation++;
  }

  #link(binding: Binding): void {
    const { source, destination, identity } = binding;
    source.bindings.set(identity, binding);
    source.routing.add(binding);
    this.#budget.take(binding.charge);
    if (destination.kind === 'exchange') destination.exchange.incoming.add(binding);
    else {
      const bindings = this.#ofTopic.get(destination.topic);
      if (bindings) bindings.add(binding);
      else this.#ofTopic.set(destination.topic, new Set([binding]));
    }
    this.generation++;
  }

  /** False if the binding was not there. */
  #unlink(binding: Binding): boolean {
    const { source, destination, identity } = binding;
    if (!source.bindings.delete(identity)) return false;
    source.routing.remove(binding);
    this.#budget.release(binding.charge);
    if (destination.kind === 'exchange') destination.exchange.incoming.delete(binding);
    else {
      const bindings = this.#ofTopic.get(destination.topic);
      bindings?.delete(binding);
      if (bindings?.size === 0) this.#ofTopic.delete(destination.topic);
    }
    this.generation++;
    return true;
  }

  /** The queue is gone, whoever deleted it: so are its bindings. */
  #topicDeleted(topic: Topic): void {
    this.generation++;
    // The commit that deletes the topic has these changes, too. If the log fails, the process ends.
    for (const binding of this.#ofTopic.get(topic) ?? []) this.unbind(binding).catch(() => undefined);
  }

  /** Bindings to queues that are gone are forgotten: they were deleted while nobody spoke AMQP. */
  #restore(): void {
    for (const definition of this.#store.exchanges())
      if (!this.#byName.has(definition.name)) this.#add(this.#exchangeOf(definition));
    for (const kept of this.#store.bindings()) {
      const source = this.#byName.get(kept.source);
      const destination = this.#destinationOf(kept);
      const charge = chargeOf(encodeTable(kept.arguments), kept.routingKey);
      if (source && destination) this.#link({ ...kept, source, destination, isDurable: true, charge });
      else this.#store.forgetBinding(kept).catch(() => undefined); // it is tried again at the next start
    }
  }

  #destinationOf({ destination: kept }: KeptBinding): Destination | undefined {
    if (kept.kind === 'queue') {
      const topic = this.#broker.topicById(kept.topicId);
      return topic && { kind: 'queue', topic };
    }
    const exchange = this.#byName.get(kept.exchange);
    return exchange && { kind: 'exchange', exchange };
  }
}
