import { virtualHost, type VirtualHost } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator } from '../caller.ts';
import { badRequest } from '../errors.ts';
import { gone, type ApiReply } from '../reply.ts';
import { objectsOf, textOf, type ApiRequest, type JsonObject } from '../request.ts';
import { bindBy } from './binding-changes.ts';
import { declareExchange } from './exchange-changes.ts';
import { putPolicy } from './policies.ts';
import { declareQueue } from './queue-changes.ts';
import { putPermissionsOf, putUser } from './user-changes.ts';
import { createVirtualHost } from './virtual-hosts.ts';

/**
 * Makes what the definitions say: virtual hosts, users, policies, exchanges, queues, bindings. What is
 * there already must be the same. What is made before an error stays, as in RabbitMQ.
 */
export async function importAll({ caller, params, body: read }: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(caller);
  const { vhost = virtualHost } = params;
  if (!api.amqp.virtualHosts.get(vhost)) throw badRequest('vhost_not_found');
  const body = await read();
  for (const host of objectsOf(body, 'vhosts')) await createVirtualHost(nameIn(host, 'vhost'), api);
  const hostOf = (object: JsonObject): VirtualHost => {
    const name = textOf(object, 'vhost') ?? vhost;
    const host = api.amqp.virtualHosts.get(name);
    if (!host) throw badRequest(`vhost ${name} does not exist`);
    return host;
  };
  await importUsers(api, body);
  for (const policy of objectsOf(body, 'policies'))
    await putPolicy(hostOf(policy), nameIn(policy, 'policy'), policy, api);
  for (const exchange of objectsOf(body, 'exchanges'))
    await declareExchange(hostOf(exchange), caller, nameIn(exchange, 'exchange'), exchange);
  for (const queue of objectsOf(body, 'queues'))
    await declareQueue(hostOf(queue), caller, nameIn(queue, 'queue'), queue);
  for (const binding of objectsOf(body, 'bindings')) {
    const kind = textOf(binding, 'destination_type') === 'exchange' ? 'exchange' : 'queue';
    const [source = '', destination = ''] = [textOf(binding, 'source'), textOf(binding, 'destination')];
    await bindBy(hostOf(binding), caller, { source, destination, kind }, binding);
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

function nameIn(object: JsonObject, what: string): string {
  const name = textOf(object, 'name');
  if (name === undefined || name === '') throw badRequest(`${what} without a name`);
  return name;
}
