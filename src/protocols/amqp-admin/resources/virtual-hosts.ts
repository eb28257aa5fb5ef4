import { virtualHost, type VirtualHost } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator } from '../caller.ts';
import { listed, shown } from '../collection.ts';
import { badRequest } from '../errors.ts';
import { declared, gone, type ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { totalsOf, type Totals } from '../totals.ts';
import { hostOf, visibleHosts } from '../virtual-hosts.ts';

export async function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  const hosts = visibleHosts(api, request.caller);
  const totals = await totalsOf(request, api.amqp, hosts);
  return listed(request, {
    entries: hosts,
    nameOf: ({ name }) => name,
    describe: (host) => describeVirtualHost(host, totals.get(host)!, api),
  });
}

export async function show(request: ApiRequest, api: Api): Promise<ApiReply> {
  const host = hostOf(request, api);
  const totals = await totalsOf(request, api.amqp, [host]);
  return shown(request.query, describeVirtualHost(host, totals.get(host)!, api));
}

/** Makes the virtual host in the path: 201 if it is new. */
export async function create({ caller, params, body }: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(caller);
  await body();
  return declared(await createVirtualHost(params['vhost'] ?? '', api));
}

/** Makes a virtual host; resolves to whether it is new. */
export async function createVirtualHost(name: string, { amqp, kept }: Api): Promise<boolean> {
  if (amqp.virtualHosts.get(name)) return false;
  await amqp.virtualHosts.create(name);
  kept.restore();
  return true;
}

/** Deletes the virtual host in the path with all that is in it; its connections end. */
export async function remove(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  const host = hostOf(request, api);
  if (host.name === virtualHost) throw badRequest(`the vhost '${host.name}' is always there`);
  await api.amqp.virtualHosts.delete(host);
  await api.amqp.virtualHosts.policies.forget(host.name);
  await api.kept.forgetVirtualHost(host.name);
  return gone;
}

function describeVirtualHost({ name }: VirtualHost, { messages, stats }: Totals, { node }: Api): object {
  const description = name === virtualHost ? 'Default virtual host' : '';
  return {
    name,
    description,
    metadata: { description, tags: [] },
    tags: [],
    default_queue_type: 'undefined',
    tracing: false,
    cluster_state: { [node.name]: 'running' },
    ...messages,
    message_stats: stats,
  };
}
