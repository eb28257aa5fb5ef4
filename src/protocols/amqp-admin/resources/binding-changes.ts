import {
  checkNotDefault,
  checkPermission,
  type Destination,
  type Exchange,
  type VirtualHost,
} from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { propertiesKey } from '../binding-key.ts';
import { noConnection, type Caller } from '../caller.ts';
import { objectNotFound } from '../errors.ts';
import { tableOfJson } from '../field-json.ts';
import { gone, type ApiReply } from '../reply.ts';
import { objectOf, shortTextOf, type ApiRequest, type JsonObject } from '../request.ts';
import { actorIn, hostForNew, hostOf } from '../virtual-hosts.ts';
import { exchangeNameOf } from './exchanges.ts';

/** The two ends of a binding by name. */
export interface BindingEnds {
  readonly source: string;
  readonly destination: string;
  readonly kind: Destination['kind'];
}

/** Binds the two ends in the path; the place of the binding is in the answer. */
export async function bind(request: ApiRequest, api: Api): Promise<ApiReply> {
  const host = hostForNew(request, api);
  const ends = endsOf(request);
  const key = await bindBy(host, request.caller, ends, await request.body());
  return {
    kind: 'empty',
    status: 201,
    location: `${encodeURIComponent(ends.destination)}/${encodeURIComponent(key)}`,
  };
}

/** Binds; resolves to the properties key. */
export async function bindBy(
  host: VirtualHost,
  caller: Caller,
  ends: BindingEnds,
  body: JsonObject,
): Promise<string> {
  const { source, destination } = resolved(host, caller, ends);
  const routingKey = shortTextOf(body, 'routing_key') ?? '';
  const table = tableOfJson(objectOf(body, 'arguments'));
  await host.exchanges.bind(source, destination, routingKey, table);
  return propertiesKey(routingKey, table);
}

/** Removes the binding in the path. */
export async function unbind(request: ApiRequest, api: Api): Promise<ApiReply> {
  const host = hostOf(request, api);
  const { source, destination } = resolved(host, request.caller, endsOf(request));
  const wanted = request.params['properties'];
  for (const binding of source.bindings.values()) {
    const { routingKey, arguments: table } = binding;
    if (!isSame(binding.destination, destination) || propertiesKey(routingKey, table) !== wanted) continue;
    await host.exchanges.unbind(binding);
    return gone;
  }
  throw objectNotFound();
}

function endsOf({ params: { source = '', queue, exchange = '' } }: ApiRequest): BindingEnds {
  return {
    source: exchangeNameOf(source),
    kind: queue === undefined ? 'exchange' : 'queue',
    destination: queue ?? exchangeNameOf(exchange),
  };
}

/** Throws an AmqpError if one of the ends is not there, or the caller may not bind them. */
function resolved(
  host: VirtualHost,
  caller: Caller,
  { source, destination, kind }: BindingEnds,
): { readonly source: Exchange; readonly destination: Destination } {
  const { queues, exchanges } = host;
  const actor = actorIn(host, caller);
  checkNotDefault(source);
  if (kind === 'exchange') checkNotDefault(destination);
  checkPermission(actor, 'write', kind, destination);
  checkPermission(actor, 'read', 'exchange', source);
  return {
    source: exchanges.find(source),
    destination:
      kind === 'queue'
        ? { kind, topic: queues.find(destination, noConnection) }
        : { kind, exchange: exchanges.find(destination) },
  };
}

function isSame(one: Destination, other: Destination): boolean {
  if (one.kind === 'queue') return other.kind === 'queue' && one.topic === other.topic;
  return other.kind === 'exchange' && one.exchange === other.exchange;
}
