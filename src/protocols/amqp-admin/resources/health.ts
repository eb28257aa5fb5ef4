import type { Api } from '../api.ts';
import { badRequest, objectNotFound } from '../errors.ts';
import { hostOf } from '../virtual-hosts.ts';
import { json, type ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';

const ok = json({ status: 'ok' });

function failed(reason: string, more: object = {}): ApiReply {
  return json({ status: 'failed', reason, ...more }, 503);
}

/** Whether disk and memory have room. */
export function alarms(_: ApiRequest, { amqp, node }: Api): ApiReply {
  const { diskFull, memoryFull } = amqp.broker.health;
  const alarms = [...(diskFull ? ['disk'] : []), ...(memoryFull ? ['memory'] : [])];
  if (alarms.length === 0) return ok;
  const list = alarms.map((resource) => ({ node: node.name, resource }));
  return failed('There are alarms in effect in the cluster', { alarms: list });
}

/** Whether the server serves: it is ready, and its log has not failed. */
export function serves({ params }: ApiRequest, { amqp, node }: Api): ApiReply {
  if ((params['node'] ?? node.name) !== node.name) throw objectNotFound();
  const { ready, failed: failure } = amqp.broker.health;
  if (failure !== undefined) return failed(failure);
  return ready ? ok : failed('The server is not ready.');
}

/** The same for a virtual host, which must exist. */
export function alive(request: ApiRequest, api: Api): ApiReply {
  hostOf(request, api);
  return serves(request, api);
}

/** What a cluster could be short of: there is one node, and it is here. */
export function single(): ApiReply {
  return json({ status: 'ok', reason: 'single node cluster' });
}

export function portListener({ params }: ApiRequest, { node }: Api): ApiReply {
  const given = params['port'] ?? '';
  const ports = node.addresses().map(([, { port }]) => port);
  if (!/^\d{1,5}$/.test(given)) throw badRequest('Invalid port');
  const port = Number(given);
  if (ports.includes(port)) return json({ status: 'ok', port });
  return failed('No active listener', { missing: port, ports });
}

/** The names of protocols that tools use, for those of listeners. */
const protocolNames: { readonly [name: string]: string } = {
  amqp091: 'amqp',
  'amqp0.9.1': 'amqp',
  'amqp-0-9-1': 'amqp',
  amqps: 'amqp/ssl',
  https: 'http',
};

export function protocolListener({ params }: ApiRequest, { node }: Api): ApiReply {
  const given = params['protocol'] ?? '';
  const protocols = node.addresses().map(([protocol]) => protocol);
  const name = given.toLowerCase();
  const protocol = Object.hasOwn(protocolNames, name) ? protocolNames[name]! : name;
  if (protocols.includes(protocol)) return json({ status: 'ok', protocol });
  return failed('No active listener', { missing: given, protocols });
}
