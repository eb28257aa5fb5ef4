import type { Topic } from '../../broker/index.ts';
import type { Binding, ExchangeDefinition, ManagedAmqp } from '../amqp/index.ts';
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

/** The queues that a caller may see, by name. */
export function visibleQueues({ broker }: ManagedAmqp, { access }: Caller): Topic[] {
  return [...broker.topics.values()].filter(({ name }) => access.maySee(name)).toSorted(byName);
}

/** The exchanges that a caller may see, by name. The predeclared ones are everybody's. */
export function visibleExchanges({ exchanges }: ManagedAmqp, { access }: Caller): ExchangeDefinition[] {
  const declared = [...exchanges.all()]
    .filter((exchange) => exchange.isPredeclared || access.maySee(exchange.name))
    .map(({ definition }) => definition);
  return [defaultExchange, ...declared.toSorted(byName)];
}

/** The bindings between exchanges and queues that a caller may see, besides those of the default exchange. */
export function* visibleBindings({ exchanges }: ManagedAmqp, { access }: Caller): Iterable<Binding> {
  for (const exchange of exchanges.all())
    for (const binding of exchange.bindings.values()) {
      const { source, destination } = binding;
      const target = destination.kind === 'queue' ? destination.topic : destination.exchange;
      if (access.maySee(target.name) && (source.isPredeclared || access.maySee(source.name))) yield binding;
    }
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}
