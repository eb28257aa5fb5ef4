import { virtualHost, type ExchangeDefinition } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { virtualHostOf } from '../virtual-hosts.ts';
import { defaultExchange, visibleExchanges } from '../visible.ts';

export function list({ caller, params, query }: ApiRequest, { amqp }: Api): ApiReply {
  virtualHostOf(params);
  return listed(query, {
    entries: visibleExchanges(amqp, caller),
    nameOf: ({ name }) => name,
    describe: describeExchange,
  });
}

export function show(request: ApiRequest, api: Api): ApiReply {
  return shown(request.query, { ...describeExchange(exchangeOf(request, api)), incoming: [], outgoing: [] });
}

/** The exchange in the path. Throws an ApiError if there is none that the caller may see. */
export function exchangeOf({ caller, params }: ApiRequest, { amqp }: Api): ExchangeDefinition {
  virtualHostOf(params);
  const name = exchangeNameOf(params['exchange'] ?? '');
  if (name === '') return defaultExchange;
  const exchange = amqp.exchanges.get(name);
  if (!exchange || !(exchange.isPredeclared || caller.access.maySee(name))) throw objectNotFound();
  return exchange.definition;
}

/** Paths have a name of the default exchange, too. */
export function exchangeNameOf(given: string): string {
  return given === 'amq.default' ? '' : given;
}

function describeExchange(exchange: ExchangeDefinition): object {
  const { name, type, durable, autoDelete, internal, arguments: table } = exchange;
  return {
    name,
    vhost: virtualHost,
    type,
    durable,
    auto_delete: autoDelete,
    internal,
    arguments: jsonOfTable(table),
    policy: null,
    user_who_performed_action: '',
  };
}
