import { virtualHost, type VirtualHost } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator } from '../caller.ts';
import { badRequest } from '../errors.ts';
import { gone, type ApiReply } from '../reply.ts';
import { objectsOf, textOf, type ApiRequest, type JsonObject } from '../request.ts';
import { bindBy } from './binding-changes.ts';
import { declareExchange } from './exchange-changes.ts';
import { importParameter } from './parameters.ts';
import { putPolicy } from './policies.ts';
import { declareQueue } from './queue-changes.ts';
import { putPermissionsOf, putUser } from './user-changes.ts';
import { createVirtualHost } from './virtual-hosts.ts';

/** Objects that are declared at once: they share a commit, and none waits for that of another. */
const inOneCommit = 64;

/**
 * Makes what the definitions say: virtual hosts, users, operator policies, policies, exchanges, queues,
 * bindings. What is there already must be the same. What is made before an error stays, as in RabbitMQ, and
 * so may a few objects after it.
 */
export async function importAll(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { caller, params, turns, body: read } = request;
  checkAdministrator(caller);
  const { vhost = virtualHost } = params;
  if (!api.amqp.virtualHosts.get(vhost)) throw badRequest('vhost_not_found');
  const body = await read();
  /** Some at a time, with others having their turn in between, even when the client has gone. */
  const each = async (
    field: string,
    make: (object: JsonObject) => Promise<unknown>,
    atOnce = 1,
  ): Promise<void> => {
    const objects = objectsOf(body, field);
    for (let at = 0; at < objects.length; at += atOnce) {
      const made = objects.slice(at, at + atOnce).map(async (object) => make(object));
      const failed = (await Promise.allSettled(made)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
      await turns.rest();
    }
  };
  const hostOf = (object: JsonObject): VirtualHost => {
    const name = textOf(object, 'vhost') ?? vhost;
    const host = api.amqp.virtualHosts.get(name);
    if (!host) throw badRequest(`vhost ${name} does not exist`);
    return host;
  };
  await each('vhosts', (host) => createVirtualHost(nameIn(host, 'vhost'), api));
  await each('users', async (user) => {
    const name = textOf(user, 'name');
    if (isOurs(name, api)) await putUser(api, name, user);
  });
  await each('permissions', async (permissions) => {
    const name = textOf(permissions, 'user');
    if (isOurs(name, api))
      await putPermissionsOf(api, textOf(permissions, 'vhost') ?? virtualHost, name, permissions);
  });
  await each('parameters', async (parameter) => importParameter(hostOf(parameter), parameter, api));
  await each('policies', async (policy) => putPolicy(hostOf(policy), nameIn(policy, 'policy'), policy, api));
  await each(
    'exchanges',
    (exchange) => declareExchange(hostOf(exchange), caller, nameIn(exchange, 'exchange'), exchange),
    inOneCommit,
  );
  await each(
    'queues',
    (queue) => declareQueue(hostOf(queue), caller, nameIn(queue, 'queue'), queue),
    inOneCommit,
  );
  const bind = async (binding: JsonObject): Promise<void> => {
    const kind = textOf(binding, 'destination_type') === 'exchange' ? 'exchange' : 'queue';
    const [source = '', destination = ''] = [textOf(binding, 'source'), textOf(binding, 'destination')];
    await bindBy(hostOf(binding), caller, { source, destination, kind }, binding);
  };
  await each('bindings', bind, inOneCommit);
  return gone;
}

/** Users of the configuration stay as they are: a file of another server names its guest, too. */
function isOurs(name: string | undefined, { users }: Api): name is string {
  return name !== undefined && name !== '' && !users.isConfigured(name);
}

function nameIn(object: JsonObject, what: string): string {
  const name = textOf(object, 'name');
  if (name === undefined || name === '') throw badRequest(`${what} without a name`);
  return name;
}
