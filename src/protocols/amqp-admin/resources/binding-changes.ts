import { checkNotDefault, checkPermission, type Destination, type Exchange } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { propertiesKey } from '../binding-key.ts';
import { noConnection } from '../caller.ts';
import { objectNotFound } from '../errors.ts';
import { tableOfJson } from '../field-json.ts';
import { gone, type ApiReply } from '../reply.ts';
import { objectOf, shortTextOf, type ApiRequest, type JsonObject } from '../request.ts';
import { checkVirtualHost, virtualHostOf } from '../virtual-hosts.ts';
import { exchangeNameOf } from './exchanges.ts';

/** The two ends of a binding by name. */
export interface BindingEnds {
  readonly source: string;
  readonly destination: string;
  readonly kind: Destination['kind'];
}

/** Binds the two ends in the path; the place of the binding is in the answer. */
export async function bind(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkVirtualHost(request.params);
  const ends = endsOf(request);
  const key = await bindBy(request, api, ends, await request.body());
  return {
    kind: 'empty',
    status: 201,
    location: `${encodeURIComponent(ends.destination)}/${encodeURIComponent(key)}`,
  };
}

/** Binds; resolves to the properties key. */
export async function bindBy(
  { caller }: Pick<ApiRequest, 'caller'>,
  api: Api,
  ends: BindingEnds,
  body: JsonObject,
): Promise<string> {
  const { source, destination } = resolved(caller, api, ends);
  const routingKey = shortTextOf(body, 'routing_key') ?? '';
  const table = tableOfJson(objectOf(body, 'arguments'));
  await api.amqp.exchanges.bind(source, destination, routingKey, table);
  return propertiesKey(routingKey, table);
}

/** Removes the binding in the path. */
export async function unbind(request: ApiRequest, api: Api): Promise<ApiReply> {
  virtualHostOf(request.params);
  const { source, destination } = resolved(request.caller, api, endsOf(request));
  const wanted = request.params['properties'];
  for (const binding of source.bindings.values()) {
    const { routingKey, arguments: table } = binding;
    if (!isSame(binding.destination, destination) || propertiesKey(routingKey, table) !== wanted) continue;
    await api.amqp.exchanges.unbind(binding);
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
  caller: ApiRequest['caller'],
  { amqp: { queues, exchanges } }: Api,
  { source, destination, kind }: BindingEnds,
): { readonly source: Exchange; readonly destination: Destination } {
  checkNotDefault(source);
  if (kind === 'exchange') checkNotDefault(destination);
  checkPermission(caller, 'write', kind, destination);
  checkPermission(caller, 'read', 'exchange', source);
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
