import type { Topic } from '../../../broker/index.ts';
import { definitionOf, rabbitVersion, type VirtualHost } from '../../amqp/index.ts';
import { pickInTurns } from '../../connections/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator } from '../caller.ts';
import { badRequest } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { clusterName } from '../server-node.ts';
import { visibleHosts } from '../virtual-hosts.ts';
import { visibleBindings, visibleExchanges, visibleQueues, type QueueEntry } from '../visible.ts';
import { bindingJson } from './bindings.ts';
import { exchangeJson } from './exchanges.ts';
import { parametersIn } from './parameters.ts';
import { policiesIn } from './policies.ts';
import { describeUser, permissionsIn } from './users.ts';

/** Exports what clients have declared, durable or not, but nothing that goes with its connection. */
export async function exportAll(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  const hosts = visibleHosts(api, request.caller);
  const lists = await objectsIn(request, hosts, api);
  const body = {
    rabbit_version: rabbitVersion,
    rabbitmq_version: rabbitVersion,
    product_name: 'RabbitMQ',
    product_version: rabbitVersion,
    rabbitmq_definition_format: 'cluster',
    original_cluster_name: clusterName,
    explanation: `Definitions of cluster '${clusterName}'`,
    users: api.kept.all().map(describeUser),
    vhosts: Array.from(api.amqp.virtualHosts.all(), ({ name }) => ({
      name,
      description: '',
      metadata: {},
      tags: [],
      limits: [],
    })),
    permissions: permissionsIn(api.kept.all()),
    topic_permissions: [],
    parameters: parametersIn(hosts, api),
    global_parameters: [],
    policies: policiesIn(hosts, api),
  };
  return { kind: 'lists', body, lists };
}

/** The same of one virtual host; what is in it does not name it. */
export async function exportOne(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  const host = api.amqp.virtualHosts.get(request.params['vhost'] ?? '');
  if (!host) throw badRequest('vhost_not_found');
  const { name } = host;
  const { queues, exchanges, bindings } = await objectsIn(request, [host], api);
  const body = {
    rabbit_version: rabbitVersion,
    rabbitmq_version: rabbitVersion,
    product_name: 'RabbitMQ',
    product_version: rabbitVersion,
    rabbitmq_definition_format: 'single_virtual_host',
    original_vhost_name: name,
    explanation: `Definitions of virtual host '${name}'`,
    metadata: {},
    description: '',
    limits: [],
    parameters: [...without('vhost', parametersIn([host], api))],
    policies: [...without('vhost', policiesIn([host], api))],
  };
  return {
    kind: 'lists',
    body,
    lists: {
      queues: without('vhost', queues),
      exchanges: without('vhost', exchanges),
      bindings: without('vhost', bindings),
    },
  };
}

/** The objects are made while they are sent. */
type Objects = { readonly [kind in 'queues' | 'exchanges' | 'bindings']: Iterable<object> };

async function objectsIn(
  request: ApiRequest,
  hosts: readonly VirtualHost[],
  { amqp }: Api,
): Promise<Objects> {
  const { turns } = request;
  const queues = await visibleQueues(request, amqp, hosts);
  const exchanges = await visibleExchanges(request, hosts);
  const bindings = await visibleBindings(request, hosts);
  const kept = <T>(all: readonly T[], isKept: (one: T) => boolean): Promise<T[]> =>
    pickInTurns(all, turns, (one) => (isKept(one) ? one : undefined));
  return {
    queues: made(await kept(queues, ({ topic }) => isExported(topic)), queueJson),
    exchanges: made(
      await kept(exchanges, ({ name }) => name !== '' && !name.startsWith('amq.')),
      exchangeJson,
    ),
    // The key of a binding follows from the rest.
    bindings: without(
      'properties_key',
      made(
        await kept(
          bindings,
          ({ binding: { destination } }) => destination.kind === 'exchange' || isExported(destination.topic),
        ),
        bindingJson,
      ),
    ),
  };
}

function* made<T>(all: readonly T[], make: (one: T) => object): Iterable<object> {
  for (const one of all) yield make(one);
}

function* without(name: string, all: Iterable<object>): Iterable<object> {
  for (const one of all) yield Object.fromEntries(Object.entries(one).filter(([field]) => field !== name));
}

function isExported(topic: Topic): boolean {
  return !definitionOf(topic).exclusive;
}

function queueJson({ host, name, topic }: QueueEntry): object {
  const { durable, autoDelete, arguments: table } = definitionOf(topic);
  return { name, vhost: host.name, durable, auto_delete: autoDelete, arguments: jsonOfTable(table) };
}
