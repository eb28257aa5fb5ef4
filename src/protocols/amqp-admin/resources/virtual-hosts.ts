import type { Api } from '../api.ts';
import type { Caller } from '../caller.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { totalsOf } from '../totals.ts';
import { virtualHostOf, virtualHosts } from '../virtual-hosts.ts';

export function list({ caller, query }: ApiRequest, api: Api): ApiReply {
  return listed(query, {
    entries: virtualHosts,
    nameOf: (name) => name,
    describe: (name) => describeVirtualHost(name, caller, api),
  });
}

export function show({ caller, params, query }: ApiRequest, api: Api): ApiReply {
  const name = virtualHostOf(params);
  if (name === undefined) throw objectNotFound();
  return shown(query, describeVirtualHost(name, caller, api));
}

function describeVirtualHost(name: string, caller: Caller, { amqp, node }: Api): object {
  const { messages, stats } = totalsOf(amqp, caller);
  return {
    name,
    description: name === '/' ? 'Default virtual host' : '',
    metadata: { description: name === '/' ? 'Default virtual host' : '', tags: [] },
    tags: [],
    default_queue_type: 'undefined',
    tracing: false,
    cluster_state: { [node.name]: 'running' },
    ...messages,
    message_stats: stats,
  };
}
