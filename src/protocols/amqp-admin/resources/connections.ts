import { AmqpError, type ManagedConnection } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { isAdministrator, isMonitor, type Caller } from '../caller.ts';
import { listed, shown } from '../collection.ts';
import { notAuthorised, objectNotFound } from '../errors.ts';
import { nameOfConnection } from '../open-channels.ts';
import { gone, type ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { hostOf } from '../virtual-hosts.ts';

export function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listed(request, {
    entries: connectionsIn(request, api),
    nameOf: nameOfConnection,
    describe: (connection) => describeConnection(connection, api),
  });
}

export function show(request: ApiRequest, api: Api): ApiReply {
  return shown(request.query, describeConnection(connectionOf(request, api), api));
}

/** Closes a connection; the header `X-Reason` has the reason that its client hears. */
export function close(request: ApiRequest, api: Api): ApiReply {
  const { session } = connectionOf(request, api);
  const { caller, reason } = request;
  if (!isAdministrator(caller) && session.userName !== caller.userName)
    throw notAuthorised('User not authorised to access object');
  session.fail(new AmqpError('CONNECTION_FORCED', reason ?? 'Closed via management plugin'), {
    kind: 'kicked',
  });
  return gone;
}

/** The connections that a caller may see, of the virtual host in the path or of all. */
export function connectionsIn(request: ApiRequest, api: Api): ManagedConnection[] {
  const all = visibleConnections(request.caller, api);
  if (request.params['vhost'] === undefined) return all;
  const { name } = hostOf(request, api);
  return all.filter(({ session }) => session.names.vhost === name);
}

/** The connections that a caller may see: its own, or all of them. */
export function visibleConnections(caller: Caller, { amqp }: Api): ManagedConnection[] {
  const seesAll = isMonitor(caller);
  return amqp.connections().filter(({ session }) => seesAll || session.userName === caller.userName);
}

/** The connection in the path. Throws an ApiError if there is none that the caller may see. */
export function connectionOf({ caller, params }: ApiRequest, api: Api): ManagedConnection {
  const found = visibleConnections(caller, api).find((one) => nameOfConnection(one) === params['connection']);
  if (!found) throw objectNotFound();
  return found;
}

function describeConnection(connection: ManagedConnection, { amqp, node }: Api): object {
  const { session, ends } = connection;
  const { client, userName, connectedMs, channelsMax, frameBytesMax } = session;
  const { inBytes, outBytes, pendingBytes, inMessages, outMessages, channels } = session.info();
  return {
    name: nameOfConnection(connection),
    ...(client.name !== '' && { user_provided_name: client.name }),
    node: node.name,
    vhost: session.names.vhost,
    user: userName,
    user_who_performed_action: userName,
    type: 'network',
    protocol: 'AMQP 0-9-1',
    state: amqp.broker.shortage === undefined ? 'running' : 'blocked',
    connected_at: connectedMs,
    ssl: amqp.isSecured,
    host: ends.host,
    port: ends.port,
    peer_host: ends.peerHost,
    peer_port: ends.peerPort,
    channels,
    channel_max: channelsMax,
    frame_max: frameBytesMax,
    recv_oct: inBytes,
    recv_cnt: inMessages,
    send_oct: outBytes,
    send_cnt: outMessages,
    send_pend: pendingBytes,
    client_properties: {
      ...(client.product !== '' && { product: client.product }),
      ...(client.version !== '' && { version: client.version }),
      ...(client.name !== '' && { connection_name: client.name }),
      capabilities: {
        consumer_cancel_notify: client.hearsCancels,
        'connection.blocked': client.hearsBlocked,
        authentication_failure_close: client.hearsRefusedLogins,
      },
    },
  };
}
