import { inTurns } from '../../connections/index.ts';
import type { Api } from '../api.ts';
import { checkMonitor } from '../caller.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { json, type ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { clusterName as nameOfCluster } from '../server-node.ts';
import { sumOf, totalsOf } from '../totals.ts';
import { hostsOf, visibleHosts } from '../virtual-hosts.ts';

/** The server at a glance: versions, totals, listeners. */
export async function overview(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { caller, query, turns } = request;
  const { amqp, node } = api;
  const hosts = visibleHosts(api, caller);
  const { queues, messages, stats } = sumOf((await totalsOf(request, amqp, hosts)).values());
  const connections = amqp.connections();
  let channels = 0;
  let consumers = 0;
  await inTurns(connections, turns, ({ session }) => {
    channels += session.channels.size;
    for (const channel of session.channels.values()) consumers += channel.consumers.size;
  });
  const listeners = node.listeners();
  return shown(query, {
    ...node.versions(),
    cluster_name: nameOfCluster,
    node: node.name,
    rates_mode: 'basic',
    disable_stats: false,
    enable_queue_totals: false,
    is_op_policy_updating_enabled: false,
    exchange_types: node.exchangeTypes(),
    sample_retention_policies: { global: [], basic: [], detailed: [] },
    statistics_db_event_queue: 0,
    message_stats: stats,
    queue_totals: messages,
    object_totals: {
      channels,
      connections: connections.length,
      consumers,
      exchanges: hosts.reduce((sum, { exchanges }) => sum + exchanges.size + 1, 0),
      queues,
    },
    listeners,
    contexts: node.contexts(),
  });
}

/** The caller, as the server knows it. */
export function whoami({ caller }: ApiRequest): ApiReply {
  return json({ name: caller.userName, tags: caller.tags });
}

export function clusterName(): ApiReply {
  return json({ name: nameOfCluster });
}

/** No extensions of the user interface; clients ask for this to see that the API is there. */
export function extensions(): ApiReply {
  return { kind: 'list', entries: [{ javascript: 'dispatcher.js' }] };
}

/** A list of things that there are none of here. */
export function nothing(request: ApiRequest, api: Api): ApiReply {
  hostsOf(request, api);
  return { kind: 'list', entries: [] };
}

export function nodes(request: ApiRequest, { node }: Api): Promise<ApiReply> {
  checkMonitor(request.caller);
  return listed(request, {
    entries: [node],
    nameOf: ({ name }) => name,
    describe: (one) => one.describe(),
  });
}

export function node({ caller, params, query }: ApiRequest, { node }: Api): ApiReply {
  checkMonitor(caller);
  if (params['node'] !== node.name) throw objectNotFound();
  return shown(query, node.describe());
}
