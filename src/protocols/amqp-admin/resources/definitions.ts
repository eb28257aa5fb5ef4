import type { Topic } from '../../../broker/index.ts';
import { definitionOf, rabbitVersion, type VirtualHost } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator, type Caller } from '../caller.ts';
import { badRequest } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import { json, type ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { clusterName } from '../server-node.ts';
import { visibleHosts } from '../virtual-hosts.ts';
import { visibleBindings, visibleExchanges, visibleQueues, type QueueEntry } from '../visible.ts';
import { bindingJson, type BindingJson } from './bindings.ts';
import { exchangeJson } from './exchanges.ts';
import { policiesIn } from './policies.ts';
import { describeUser, permissionsIn } from './users.ts';

/** Exports what clients have declared, durable or not, but nothing that goes with its connection. */
export function exportAll(request: ApiRequest, api: Api): ApiReply {
  checkAdministrator(request.caller);
  return json({
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
    parameters: [],
    global_parameters: [],
    policies: policiesIn(visibleHosts(api, request.caller), api),
    ...objectsIn(request.caller, visibleHosts(api, request.caller), api),
  });
}

/** The same of one virtual host; what is in it does not name it. */
export function exportOne(request: ApiRequest, api: Api): ApiReply {
  checkAdministrator(request.caller);
  const host = api.amqp.virtualHosts.get(request.params['vhost'] ?? '');
  if (!host) throw badRequest('vhost_not_found');
  const { name } = host;
  const { queues, exchanges, bindings } = objectsIn(request.caller, [host], api);
  const withoutHost = (all: readonly object[]): object[] =>
    all.map((one) => Object.fromEntries(Object.entries(one).filter(([field]) => field !== 'vhost')));
  return json({
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
    parameters: [],
    policies: withoutHost(policiesIn([host], api)),
    queues: withoutHost(queues),
    exchanges: withoutHost(exchanges),
    bindings: withoutHost(bindings),
  });
}

interface Objects {
  readonly queues: readonly object[];
  readonly exchanges: readonly object[];
  readonly bindings: readonly object[];
}

function objectsIn(caller: Caller, hosts: readonly VirtualHost[], { amqp }: Api): Objects {
  const bindings = [...visibleBindings(caller, hosts)].filter(
    ({ binding: { destination } }) => destination.kind === 'exchange' || isExported(destination.topic),
  );
  return {
    queues: visibleQueues(amqp, caller, hosts)
      .filter(({ topic }) => isExported(topic))
      .map(queueJson),
    exchanges: visibleExchanges(caller, hosts)
      .filter(({ name }) => name !== '' && !name.startsWith('amq.'))
      .map(exchangeJson),
    bindings: bindings.map(bindingJson).map(withoutKey),
  };
}

/** The key of a binding follows from the rest. */
function withoutKey(binding: BindingJson): object {
  return Object.fromEntries(Object.entries(binding).filter(([field]) => field !== 'properties_key'));
}

function isExported(topic: Topic): boolean {
  return !definitionOf(topic).exclusive;
}

function queueJson({ host, name, topic }: QueueEntry): object {
  const { durable, autoDelete, arguments: table } = definitionOf(topic);
  return { name, vhost: host.name, durable, auto_delete: autoDelete, arguments: jsonOfTable(table) };
}
