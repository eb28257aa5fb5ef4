import { pickInTurns, sortInTurns } from '../../connections/index.ts';
import type { Api } from '../api.ts';
import { propertiesKey } from '../binding-key.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest, JsonObject } from '../request.ts';
import { hostsOf } from '../virtual-hosts.ts';
import { someQueues, targetOf, visibleBindings, type BindingEntry, type QueueEntry } from '../visible.ts';
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

export async function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listedBindings(request, await allBindings(request, api));
}

/** The bindings of a queue, with that of the default exchange. */
export async function ofQueue(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { name } = queueOf(request, api);
  return listedBindings(request, await allBindings(request, api, to('queue', name)));
}

export async function fromExchange(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { name } = exchangeOf(request, api);
  return listedBindings(request, await allBindings(request, api, ({ source }) => source === name));
}

export async function toExchange(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { name } = exchangeOf(request, api);
  return listedBindings(request, await allBindings(request, api, to('exchange', name)));
}

/** The bindings between two ends: none if there is none of the ends. */
export async function betweenEnds(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listedBindings(request, await between(request, api));
}

/** One binding, by its properties key. */
export async function show(request: ApiRequest, api: Api): Promise<ApiReply> {
  const found = (await between(request, api)).find(
    ({ properties_key }) => properties_key === request.params['properties'],
  );
  if (!found) throw objectNotFound();
  return shown(request.query, found);
}

type IsWanted = (binding: BindingJson) => boolean;

/** The bindings between the two ends that the path names. */
function between(request: ApiRequest, api: Api): Promise<BindingJson[]> {
  const { source = '', queue, exchange = '' } = request.params;
  const from = exchangeNameOf(source);
  const leadsThere = queue === undefined ? to('exchange', exchangeNameOf(exchange)) : to('queue', queue);
  return allBindings(request, api, (binding) => binding.source === from && leadsThere(binding));
}

function to(type: 'queue' | 'exchange', name: string): IsWanted {
  return ({ destination, destination_type }) => destination === name && destination_type === type;
}

/** The bindings of the virtual host in the path, or of all. */
async function allBindings(
  request: ApiRequest,
  api: Api,
  isWanted: IsWanted = () => true,
): Promise<BindingJson[]> {
  const hosts = hostsOf(request, api);
  const wanted = (binding: BindingJson): BindingJson | undefined => (isWanted(binding) ? binding : undefined);
  const { turns } = request;
  const queues = await someQueues(request, api.amqp, hosts);
  const ofDefault = await pickInTurns(queues, turns, (queue) => wanted(bindingOfDefault(queue)));
  const bindings = await visibleBindings(request, hosts);
  return ofDefault.concat(await pickInTurns(bindings, turns, (binding) => wanted(bindingJson(binding))));
}

async function listedBindings(request: ApiRequest, entries: readonly BindingJson[]): Promise<ApiReply> {
  return listed(request, {
    entries: await sortInTurns(entries, request.turns, inOrder),
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
