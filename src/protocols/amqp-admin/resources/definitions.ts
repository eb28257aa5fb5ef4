import type { Topic } from '../../../broker/index.ts';
import { definitionOf, rabbitVersion, virtualHost } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator } from '../caller.ts';
import { badRequest } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import { gone, json, type ApiReply } from '../reply.ts';
import { objectsOf, textOf, type ApiRequest, type JsonObject } from '../request.ts';
import { clusterName } from '../server-node.ts';
import { virtualHosts } from '../virtual-hosts.ts';
import { visibleBindings, visibleExchanges, visibleQueues } from '../visible.ts';
import { bindBy } from './binding-changes.ts';
import { bindingJson, type BindingJson } from './bindings.ts';
import { declareExchange } from './exchange-changes.ts';
import { declareQueue } from './queue-changes.ts';
import { putPermissionsOf, putUser } from './user-changes.ts';
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
    vhosts: virtualHosts.map((name) => ({ name, description: '', metadata: {}, tags: [], limits: [] })),
    permissions: permissionsIn(api.kept.all()),
    topic_permissions: [],
    parameters: [],
    global_parameters: [],
    policies: [],
    ...objectsIn(request, api),
  });
}

/** The same of one virtual host; what is in it does not name it. */
export function exportOne(request: ApiRequest, api: Api): ApiReply {
  checkAdministrator(request.caller);
  const name = request.params['vhost'] ?? '';
  if (!virtualHosts.includes(name)) throw badRequest('vhost_not_found');
  const { queues, exchanges, bindings } = objectsIn(request, api);
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
    policies: [],
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

function objectsIn({ caller }: ApiRequest, { amqp }: Api): Objects {
  const queues = visibleQueues(amqp, caller).filter(isExported);
  const exchanges = visibleExchanges(amqp, caller).filter(
    ({ name }) => name !== '' && !name.startsWith('amq.'),
  );
  const bindings = [...visibleBindings(amqp, caller)].filter(
    ({ destination }) => destination.kind === 'exchange' || isExported(destination.topic),
  );
  return {
    queues: queues.map(queueJson),
    exchanges: exchanges.map(({ name, type, durable, autoDelete, internal, arguments: table }) => ({
      name,
      vhost: virtualHost,
      type,
      durable,
      auto_delete: autoDelete,
      internal,
      arguments: jsonOfTable(table),
    })),
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

function queueJson(topic: Topic): object {
  const { durable, autoDelete, arguments: table } = definitionOf(topic);
  return {
    name: topic.name,
    vhost: virtualHost,
    durable,
    auto_delete: autoDelete,
    arguments: jsonOfTable(table),
  };
}

/** The parts of definitions that are kept here; anything else in them is refused if it is not empty. */
const ignoredParts: ReadonlySet<string> = new Set(['topic_permissions', 'parameters', 'global_parameters']);

/**
 * Makes what the definitions say: users and permissions, exchanges, queues, bindings. What is there already must be the
 * same. What is declared before an error stays, as in RabbitMQ.
 */
export async function importAll(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  const { vhost = virtualHost } = request.params;
  if (!virtualHosts.includes(vhost)) throw badRequest('vhost_not_found');
  const body = await request.body();
  checkHosts(body);
  await importUsers(api, body);
  for (const exchange of objectsOf(body, 'exchanges'))
    await declareExchange(request, api, nameIn(exchange, 'exchange'), exchange);
  for (const queue of objectsOf(body, 'queues'))
    await declareQueue(request, api, nameIn(queue, 'queue'), queue);
  for (const binding of objectsOf(body, 'bindings')) {
    const kind = textOf(binding, 'destination_type') === 'exchange' ? 'exchange' : 'queue';
    const [source = '', destination = ''] = [textOf(binding, 'source'), textOf(binding, 'destination')];
    await bindBy(request, api, { source, destination, kind }, binding);
  }
  return gone;
}

/** Users of the configuration stay as they are: a file of another server names its guest, too. */
async function importUsers(api: Api, body: JsonObject): Promise<void> {
  const isOurs = (name: string | undefined): name is string =>
    name !== undefined && name !== '' && !api.users.isConfigured(name);
  for (const user of objectsOf(body, 'users')) {
    const name = textOf(user, 'name');
    if (isOurs(name)) await putUser(api, name, user);
  }
  for (const permissions of objectsOf(body, 'permissions')) {
    const name = textOf(permissions, 'user');
    if (isOurs(name))
      await putPermissionsOf(api, textOf(permissions, 'vhost') ?? virtualHost, name, permissions);
  }
}

/** Throws bad_request if something is to be in a virtual host that is not there. */
function checkHosts(body: JsonObject): void {
  for (const [part, value] of Object.entries(body)) {
    if (!Array.isArray(value) || ignoredParts.has(part)) continue;
    for (const entry of objectsOf(body, part)) {
      const name = textOf(entry, part === 'vhosts' ? 'name' : 'vhost') ?? virtualHost;
      if (!virtualHosts.includes(name)) throw badRequest(`vhost ${name} does not exist`);
    }
  }
}

function nameIn(object: JsonObject, what: string): string {
  const name = textOf(object, 'name');
  if (name === undefined || name === '') throw badRequest(`${what} without a name`);
  return name;
}
