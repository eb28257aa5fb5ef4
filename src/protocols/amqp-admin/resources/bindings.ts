import type { Api } from '../api.ts';
import { propertiesKey } from '../binding-key.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest, JsonObject } from '../request.ts';
import { hostsOf } from '../virtual-hosts.ts';
import { targetOf, visibleBindings, visibleQueues, type BindingEntry, type QueueEntry } from '../visible.ts';
import { exchangeNameOf, exchangeOf } from './exchanges.ts';
import { queueOf } from './queues.ts';

/** A binding as it is listed. */
export interface BindingJson {
  readonly source: string;
  readonly vhost: string;
  readonly destination: string;
  readonly destination_type: 'queue' | 'exchange';
  readonly routing_key: string;
  readonly arguments: JsonObject;
  readonly properties_key: string;
}

export function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listedBindings(request, allBindings(request, api));
}

/** The bindings of a queue, with that of the default exchange. */
export function ofQueue(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { name } = queueOf(request, api);
  return listedBindings(request, to(allBindings(request, api), 'queue', name));
}

export function fromExchange(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { name } = exchangeOf(request, api);
  return listedBindings(
    request,
    allBindings(request, api).filter(({ source }) => source === name),
  );
}

export function toExchange(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { name } = exchangeOf(request, api);
  return listedBindings(request, to(allBindings(request, api), 'exchange', name));
}

/** The bindings between two ends: none if there is none of the ends. */
export function betweenEnds(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listedBindings(request, between(request, api));
}

/** One binding, by its properties key. */
export function show(request: ApiRequest, api: Api): ApiReply {
  const found = between(request, api).find(
    ({ properties_key }) => properties_key === request.params['properties'],
  );
  if (!found) throw objectNotFound();
  return shown(request.query, found);
}

/** The bindings between the two ends that the path names. */
function between(request: ApiRequest, api: Api): BindingJson[] {
  const { source = '', queue, exchange = '' } = request.params;
  const from = exchangeNameOf(source);
  const target =
    queue === undefined
      ? to(allBindings(request, api), 'exchange', exchangeNameOf(exchange))
      : to(allBindings(request, api), 'queue', queue);
  return target.filter((binding) => binding.source === from);
}

function to(all: readonly BindingJson[], type: 'queue' | 'exchange', name: string): BindingJson[] {
  return all.filter(({ destination, destination_type }) => destination === name && destination_type === type);
}

/** The bindings of the virtual host in the path, or of all. */
function allBindings(request: ApiRequest, api: Api): BindingJson[] {
  const hosts = hostsOf(request, api);
  return [
    ...visibleQueues(api.amqp, request.caller, hosts).map(bindingOfDefault),
    ...Array.from(visibleBindings(request.caller, hosts), bindingJson),
  ];
}

function listedBindings(request: ApiRequest, entries: readonly BindingJson[]): Promise<ApiReply> {
  return listed(request, {
    entries: entries.toSorted(inOrder),
    nameOf: ({ source }) => source,
    describe: (binding) => binding,
  });
}

function inOrder(one: BindingJson, other: BindingJson): number {
  for (const field of ['vhost', 'source', 'destination', 'routing_key', 'properties_key'] as const)
    if (one[field] !== other[field]) return one[field] < other[field] ? -1 : 1;
  return 0;
}

/** The default exchange routes to each queue by its name. */
function bindingOfDefault({ host, name }: QueueEntry): BindingJson {
  return {
    source: '',
    vhost: host.name,
    destination: name,
    destination_type: 'queue',
    routing_key: name,
    arguments: {},
    properties_key: propertiesKey(name, new Map()),
  };
}

export function bindingJson({ host, binding }: BindingEntry): BindingJson {
  const { source, destination, routingKey, arguments: table } = binding;
  return {
    source: source.name,
    vhost: host.name,
    destination: targetOf(host, binding),
    destination_type: destination.kind,
    routing_key: routingKey,
    arguments: jsonOfTable(table),
    properties_key: propertiesKey(routingKey, table),
  };
}
