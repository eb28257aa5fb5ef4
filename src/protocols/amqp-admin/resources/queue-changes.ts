import { defaultGroup } from '../../../broker/index.ts';
import {
  AmqpError,
  checkPermission,
  checkNoStream,
  checkReserved,
  type VirtualHost,
} from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { noConnection, type Caller } from '../caller.ts';
import { tableOfJson } from '../field-json.ts';
import { declared, gone, type ApiReply } from '../reply.ts';
import { flagOf, objectOf, type ApiRequest, type JsonObject } from '../request.ts';
import { actorIn, hostForNew } from '../virtual-hosts.ts';
import { queueOf } from './queues.ts';

/** Declares the queue in the path: 201 if it is new, 204 if it was there, as it is declared. */
export async function declare(request: ApiRequest, api: Api): Promise<ApiReply> {
  const host = hostForNew(request, api);
  const body = await request.body();
  return declared(await declareQueue(host, request.caller, request.params['queue'] ?? '', body));
}

/** Declares a queue; resolves to whether it is new. */
export async function declareQueue(
  host: VirtualHost,
  caller: Caller,
  name: string,
  body: JsonObject,
): Promise<boolean> {
  const { queues } = host;
  checkPermission(actorIn(host, caller), 'configure', 'queue', name);
  const definition = {
    durable: flagOf(body, 'durable', false),
    exclusive: false,
    autoDelete: flagOf(body, 'auto_delete', false),
    arguments: tableOfJson(objectOf(body, 'arguments')),
  };
  const known = queues.get(name, noConnection);
  if (known) {
    queues.checkEquivalent(known, definition);
    return false;
  }
  checkReserved('queue', name);
  await queues.declare(name, definition, noConnection);
  return true;
}

/** Deletes the queue in the path; with `if-empty` and `if-unused` only then. */
export async function remove(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { host, name } = queueOf(request, api);
  const { queues } = host;
  checkPermission(actorIn(host, request.caller), 'configure', 'queue', name);
  const topic = queues.find(name, noConnection);
  const { query } = request;
  const consumers = topic.groups.get(defaultGroup)?.consumers ?? 0;
  if (query.get('if-unused') === 'true' && consumers > 0)
    throw new AmqpError('PRECONDITION_FAILED', `${queues.shown(name)} in use`);
  if (query.get('if-empty') === 'true' && topic.count > 0)
    throw new AmqpError('PRECONDITION_FAILED', `${queues.shown(name)} not empty`);
  await topic.delete();
  return gone;
}

/** Removes the messages of the queue in the path. */
export async function purge(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { host, name } = queueOf(request, api);
  const { queues } = host;
  checkPermission(actorIn(host, request.caller), 'read', 'queue', name);
  const topic = queues.find(name, noConnection);
  checkNoStream(queues, topic, 'queue.purge');
  for (const partition of topic.partitions.opened.slice()) await topic.purge(partition, {});
  return gone;
}
