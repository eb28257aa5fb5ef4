import {
  AmqpError,
  checkEquivalentExchange,
  checkNotDefault,
  checkPermission,
  checkReserved,
  exchangeTypes,
  shownExchange,
  type ExchangeType,
} from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { badRequest, objectNotFound } from '../errors.ts';
import { tableOfJson } from '../field-json.ts';
import { declared, gone, type ApiReply } from '../reply.ts';
import { checkShort, flagOf, objectOf, textOf, type ApiRequest, type JsonObject } from '../request.ts';
import { checkVirtualHost, virtualHostOf } from '../virtual-hosts.ts';
import { exchangeNameOf } from './exchanges.ts';

/** Declares the exchange in the path: 201 if it is new, 204 if it was there, as it is declared. */
export async function declare(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkVirtualHost(request.params);
  const body = await request.body();
  return declared(await declareExchange(request, api, request.params['exchange'] ?? '', body));
}

/** Declares an exchange; resolves to whether it is new. */
export async function declareExchange(
  { caller }: Pick<ApiRequest, 'caller'>,
  { amqp: { exchanges } }: Api,
  given: string,
  body: JsonObject,
): Promise<boolean> {
  const name = exchangeNameOf(given);
  checkNotDefault(name);
  checkShort('name', name);
  const type = (textOf(body, 'type') ?? 'direct') as ExchangeType;
  if (!exchangeTypes.includes(type)) throw badRequest(`unknown exchange type '${type}'`);
  checkPermission(caller, 'configure', 'exchange', name);
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
export async function remove({ caller, params, query }: ApiRequest, { amqp }: Api): Promise<ApiReply> {
  virtualHostOf(params);
  const name = exchangeNameOf(params['exchange'] ?? '');
  checkNotDefault(name);
  checkPermission(caller, 'configure', 'exchange', name);
  const exchange = amqp.exchanges.get(name);
  if (!exchange) throw objectNotFound();
  if (exchange.isPredeclared)
    throw new AmqpError('ACCESS_REFUSED', `deletion of system ${shownExchange(name)} not allowed`);
  if (query.get('if-unused') === 'true' && exchange.bindings.size > 0)
    throw new AmqpError('PRECONDITION_FAILED', `${shownExchange(name)} in use`);
  await amqp.exchanges.delete(exchange);
  return gone;
}
