import type { Topic } from '../../broker/index.ts';
import type { Binding, Exchange, ExchangeDefinition, ManagedAmqp, VirtualHost } from '../amqp/index.ts';
import { inTurns, pickInTurns, sortInTurns } from '../connections/index.ts';
import type { Caller } from './caller.ts';
import type { ApiRequest } from './request.ts';

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

/** The part of a request that says who asks, and takes turns for the work. */
export type Asking = Pick<ApiRequest, 'caller' | 'turns'>;

/** The queues of these virtual hosts that a caller may see, in no order. */
export function someQueues(
  { caller: { access }, turns }: Asking,
  { broker, virtualHosts }: ManagedAmqp,
  hosts: readonly VirtualHost[],
): Promise<QueueEntry[]> {
  const wanted = new Set(hosts);
  return pickInTurns(broker.topics.values(), turns, (topic) => {
    const host = virtualHosts.of(topic);
    if (!wanted.has(host) || !access.maySee(topic.name)) return undefined;
    return { host, topic, name: host.queues.nameOf(topic) };
  });
}

/** The queues of these virtual hosts that a caller may see, by name. */
export async function visibleQueues(
  asking: Asking,
  amqp: ManagedAmqp,
  hosts: readonly VirtualHost[],
): Promise<readonly QueueEntry[]> {
  return sortInTurns(await someQueues(asking, amqp, hosts), asking.turns, inOrder);
}

/**
 * The exchanges of these virtual hosts that a caller may see, by name. The predeclared ones are everybody's.
 */
export async function visibleExchanges(
  { caller: { access }, turns }: Asking,
  hosts: readonly VirtualHost[],
): Promise<readonly ExchangeEntry[]> {
  const entries: ExchangeEntry[] = [];
  for (const host of hosts) {
    entries.push({ host, name: '', definition: defaultExchange });
    await inTurns(host.exchanges.all(), turns, ({ name, isPredeclared, definition }) => {
      if (isPredeclared || maySee(access, host, name)) entries.push({ host, name, definition });
    });
  }
  return sortInTurns(entries, turns, inOrder);
}

/** The bindings that a caller may see, besides those of the default exchange. */
export function visibleBindings(
  { caller: { access }, turns }: Asking,
  hosts: readonly VirtualHost[],
): Promise<BindingEntry[]> {
  const isVisible = (host: VirtualHost, { name, isPredeclared }: Exchange): boolean =>
    isPredeclared || maySee(access, host, name);
  return pickInTurns(allBindings(hosts), turns, ({ host, binding }) =>
    isVisible(host, binding.source) && maySee(access, host, targetOf(host, binding))
      ? { host, binding }
      : undefined,
  );
}

function* allBindings(hosts: readonly VirtualHost[]): Iterable<BindingEntry> {
  for (const host of hosts)
    for (const exchange of host.exchanges.all())
      for (const binding of exchange.bindings.values()) yield { host, binding };
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
