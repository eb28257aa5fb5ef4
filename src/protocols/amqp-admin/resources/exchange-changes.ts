import {
  AmqpError,
  checkEquivalentExchange,
  checkNotDefault,
  checkPermission,
  checkReserved,
  exchangeTypeOf,
  type VirtualHost,
} from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import type { Caller } from '../caller.ts';
import { objectNotFound } from '../errors.ts';
import { tableOfJson } from '../field-json.ts';
import { declared, gone, type ApiReply } from '../reply.ts';
import { checkShort, flagOf, objectOf, textOf, type ApiRequest, type JsonObject } from '../request.ts';
import { actorIn, hostForNew, hostOf } from '../virtual-hosts.ts';
import { exchangeNameOf } from './exchanges.ts';

/** Declares the exchange in the path: 201 if it is new, 204 if it was there, as it is declared. */
export async function declare(request: ApiRequest, api: Api): Promise<ApiReply> {
  const host = hostForNew(request, api);
  const body = await request.body();
  return declared(await declareExchange(host, request.caller, request.params['exchange'] ?? '', body));
}

/** Declares an exchange; resolves to whether it is new. */
export async function declareExchange(
  host: VirtualHost,
  caller: Caller,
  given: string,
  body: JsonObject,
): Promise<boolean> {
  const { exchanges } = host;
  const name = exchangeNameOf(given);
  checkNotDefault(name);
  checkShort('name', name);
  const type = exchangeTypeOf(textOf(body, 'type') ?? 'direct');
  checkPermission(actorIn(host, caller), 'configure', 'exchange', name);
  const definition = {
    name,
    type,
    durable: flagOf(body, 'durable', false),
    autoDelete: flagOf(body, 'auto_delete', false),
    internal: flagOf(body, 'internal', false),
    arguments: tableOfJson(objectOf(body, 'arguments')),
  };
  const known = exchanges.get(name);
  if (known) {
    checkEquivalentExchange(known, definition);
    return false;
  }
  checkReserved('exchange', name);
  await exchanges.declare(definition);
  return true;
}

/** Deletes the exchange in the path; with `if-unused` only if nothing is bound to it. */
export async function remove(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { caller, params, query } = request;
  const host = hostOf(request, api);
  const { exchanges } = host;
  const name = exchangeNameOf(params['exchange'] ?? '');
  checkNotDefault(name);
  checkPermission(actorIn(host, caller), 'configure', 'exchange', name);
  const exchange = exchanges.get(name);
  if (!exchange) throw objectNotFound();
  if (exchange.isPredeclared)
    throw new AmqpError('ACCESS_REFUSED', `deletion of system ${exchanges.shown(name)} not allowed`);
  if (query.get('if-unused') === 'true' && exchange.bindings.size > 0)
    throw new AmqpError('PRECONDITION_FAILED', `${exchanges.shown(name)} in use`);
  await exchanges.delete(exchange);
  return gone;
}
