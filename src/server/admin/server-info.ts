import type {
  AliveJson,
  ConnectionClosedJson,
  ConnectionsJson,
  ReadyJson,
  ServerJson,
} from '../../admin-api/index.ts';
import { HttpError } from '../../protocols/index.ts';
import { processFigures } from '../../util/index.ts';
import { alarmsInBrief } from './alarms.ts';
import { type AdminContext, checkMayAll } from './context.ts';
import { adminProtocol } from './login.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import { readQuery, wholeNumber } from './shape.ts';

/** The maximum number of connections in one answer. */
const connectionsMax = 1000;

/** Alive: the process answers and its log has not failed. */
export function healthz(_: AdminRequest, { broker }: AdminContext): JsonReply<AliveJson> {
  const { failed } = broker.health;
  return failed === undefined ? json({ status: 'ok' }) : json({ status: 'failed', reason: failed }, 503);
}

/**
 * Ready: clients may be sent here. Degraded: ready, but stored data is missing or damaged. A full disk or
 * full memory is shown but does not change this: consumers can still work, which makes room.
 */
export function readyz(_: AdminRequest, context: AdminContext): JsonReply<ReadyJson> {
  const { ready, diskFull, memoryFull, degraded } = context.broker.health;
  const isReady = ready && !context.isStopping();
  const readyStatus = degraded === undefined ? 'ready' : 'degraded';
  const status = isReady ? readyStatus : context.isStopping() ? 'stopping' : 'not ready';
  const advice = degraded === undefined ? {} : { advice: degraded };
  const alarms = alarmsInBrief(context.alarms.watch);
  return json({ status, diskFull, memoryFull, ...advice, ...alarms }, isReady ? 200 : 503);
}

export function serverInfo(_: AdminRequest, context: AdminContext): JsonReply<ServerJson> {
  const { broker, settings, version, dataDirectory, startedMs, ports } = context;
  const { rss, heapUsed, external, arrayBuffers } = processFigures();
  const { ready, diskFull, memoryFull, failed, damage, degraded, clockJumps, clockAheadMs } = broker.health;
  let groups = 0;
  for (const topic of broker.topics.values()) groups += topic.groups.size;
  return json({
    name: 'pillarbox',
    version,
    node: process.versions.node,
    pid: process.pid,
    startedMs,
    uptimeMs: Date.now() - startedMs,
    dataDirectory,
    host: settings.host,
    ports: ports(),
    maxPayloadBytes: settings.maxPayloadBytes,
    topics: broker.topics.size,
    groups,
    subscriptions: broker.router.subscriptions,
    connections: context.connections.size,
    memory: {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      externalBytes: external,
      arrayBufferBytes: arrayBuffers,
    },
    health: {
      ready,
      diskFull,
      memoryFull,
      failed: failed ?? null,
      damage,
      degraded: degraded ?? null,
      clockJumps,
      clockAheadMs,
    },
    stats: broker.stats(),
  });
}

/** Lists connections, those with the most unread output first, because they hold others back. */
export function listConnections(
  { access, query }: AdminRequest,
  { doors, connections, users, settings, adminConnections }: AdminContext,
): JsonReply<ConnectionsJson> {
  checkMayAll('manage', access);
  const { limit = connectionsMax } = readQuery<{ readonly limit?: number }>(query, {
    limit: wholeNumber(1, connectionsMax),
  });
  const protocols = doors.map(({ name, connections, authenticates }) => ({
    name,
    connections,
    authenticates,
  }));
  protocols.push({
    name: adminProtocol,
    connections: adminConnections(),
    authenticates: settings.adminToken !== undefined || users.requires(adminProtocol),
  });
  const all = connections.list().sort((a, b) => b.pendingBytes - a.pendingBytes);
  return json({ protocols, total: all.length, connections: all.slice(0, limit).map((one) => ({ ...one })) });
}

export function closeConnection(
  { access, params }: AdminRequest,
  { connections }: AdminContext,
): JsonReply<ConnectionClosedJson> {
  checkMayAll('manage', access);
  const id = wholeNumber(1, Number.MAX_SAFE_INTEGER)(params['id'], 'id');
  const connection = connections.get(id);
  if (!connection) throw new HttpError(404, 'connection-not-found', `There is no connection ${id}.`);
  const { protocol, address, name } = connection.info();
  // After the answer: it may be the connection of this request.
  setImmediate(() => connection.kick());
  return json({ closed: id, protocol, address, name });
}
