import type { Api } from '../api.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { hostOf, hostsOf } from '../virtual-hosts.ts';
import { defaultExchange, maySee, visibleExchanges, type ExchangeEntry } from '../visible.ts';

export async function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listed(request, {
    entries: await visibleExchanges(request, hostsOf(request, api)),
    nameOf: ({ name }) => name,
    describe: describeExchange,
  });
}

export function show(request: ApiRequest, api: Api): ApiReply {
  return shown(request.query, { ...describeExchange(exchangeOf(request, api)), incoming: [], outgoing: [] });
}

/** The exchange in the path. Throws an ApiError if there is none that the caller may see. */
export function exchangeOf(request: ApiRequest, api: Api): ExchangeEntry {
  const host = hostOf(request, api);
  const name = exchangeNameOf(request.params['exchange'] ?? '');
  if (name === '') return { host, name, definition: defaultExchange };
  const exchange = host.exchanges.get(name);
  if (!exchange || !(exchange.isPredeclared || maySee(request.caller.access, host, name)))
    throw objectNotFound();
  return { host, name, definition: exchange.definition };
}

/** Paths have a name of the default exchange, too. */
export function exchangeNameOf(given: string): string {
  return given === 'amq.default' ? '' : given;
}

function describeExchange(entry: ExchangeEntry): object {
  const held = entry.host.exchanges.get(entry.name)?.policies;
  return { ...exchangeJson(entry), policy: held?.name ?? null, user_who_performed_action: '' };
}

/** An exchange as its client declared it. */
export function exchangeJson({ host, name, definition }: ExchangeEntry): object {
  const { type, durable, autoDelete, internal, arguments: table } = definition;
  return {
    name,
    vhost: host.name,
    type,
    durable,
    auto_delete: autoDelete,
    internal,
    arguments: jsonOfTable(table),
  };
}
