import type { Topic } from '../../broker/index.ts';
import type { Binding, ExchangeDefinition, ManagedAmqp, VirtualHost } from '../amqp/index.ts';
import type { Caller } from './caller.ts';

/** The default exchange, which has no object: it routes to the queue that the routing key names. */
export const defaultExchange: ExchangeDefinition = {
  name: '',
  type: 'direct',
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: new Map(),
};

/** A queue in its virtual host. */
export interface QueueEntry {
  readonly host: VirtualHost;
  readonly name: string;
  readonly topic: Topic;
}

/** An exchange in its virtual host. */
export interface ExchangeEntry {
  readonly host: VirtualHost;
  readonly name: string;
  readonly definition: ExchangeDefinition;
}

/** A binding between exchanges or to a queue, in its virtual host. */
export interface BindingEntry {
  readonly host: VirtualHost;
  readonly binding: Binding;
}

/** The queues of these virtual hosts that a caller may see, by name. */
export function visibleQueues(
  { broker, virtualHosts }: ManagedAmqp,
  { access }: Caller,
  hosts: readonly VirtualHost[],
): QueueEntry[] {
  const wanted = new Set(hosts);
  const entries: QueueEntry[] = [];
  for (const topic of broker.topics.values()) {
    const host = virtualHosts.of(topic);
    if (wanted.has(host) && access.maySee(topic.name))
      entries.push({ host, topic, name: host.queues.nameOf(topic) });
  }
  return entries.toSorted(inOrder);
}

/** The exchanges of these virtual hosts that a caller may see, by name. The predeclared ones are everybody's. */
export function visibleExchanges({ access }: Caller, hosts: readonly VirtualHost[]): ExchangeEntry[] {
  return hosts
    .flatMap((host) => [
      { host, name: '', definition: defaultExchange },
      ...Array.from(host.exchanges.all())
        .filter(({ name, isPredeclared }) => isPredeclared || maySee(access, host, name))
        .map(({ name, definition }) => ({ host, name, definition })),
    ])
    .toSorted(inOrder);
}

/** The bindings that a caller may see, besides those of the default exchange. */
export function* visibleBindings({ access }: Caller, hosts: readonly VirtualHost[]): Iterable<BindingEntry> {
  for (const host of hosts)
    for (const exchange of host.exchanges.all()) {
      if (!exchange.isPredeclared && !maySee(access, host, exchange.name)) continue;
      for (const binding of exchange.bindings.values())
        if (maySee(access, host, targetOf(host, binding))) yield { host, binding };
    }
}

/** The name of what a binding leads to. */
export function targetOf({ queues }: VirtualHost, { destination }: Binding): string {
  return destination.kind === 'queue' ? queues.nameOf(destination.topic) : destination.exchange.name;
}

/** Whether a caller has a permission on a queue or an exchange of a virtual host. */
export function maySee(access: Caller['access'], { queues }: VirtualHost, name: string): boolean {
  return access.maySee(queues.names.guardedName(name));
}

interface Named {
  readonly host: VirtualHost;
  readonly name: string;
}

function inOrder(one: Named, other: Named): number {
  if (one.host !== other.host) return one.host.name < other.host.name ? -1 : 1;
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}
