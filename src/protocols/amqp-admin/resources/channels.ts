import type { Api } from '../api.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import {
  channelsOf,
  connectionDetails,
  nameOfChannel,
  openChannels,
  type OpenChannel,
} from '../open-channels.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { connectionOf, connectionsIn, visibleConnections } from './connections.ts';
import { consumersOfChannel } from './consumers.ts';

export async function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listedChannels(request, await openChannels(connectionsIn(request, api), request.turns), api);
}

export function ofConnection(request: ApiRequest, api: Api): Promise<ApiReply> {
  return listedChannels(request, channelsOf(connectionOf(request, api)), api);
}

export async function show(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { caller, params, query, turns } = request;
  const all = await openChannels(visibleConnections(caller, api), turns);
  const found = all.find((one) => nameOfChannel(one) === params['channel']);
  if (!found) throw objectNotFound();
  return shown(query, { ...describeChannel(found, api), consumer_details: consumersOfChannel(found) });
}

function listedChannels(request: ApiRequest, entries: readonly OpenChannel[], api: Api): Promise<ApiReply> {
  return listed(request, {
    entries,
    nameOf: nameOfChannel,
    describe: (channel) => describeChannel(channel, api),
  });
}

function describeChannel(open: OpenChannel, { node }: Api): object {
  const { channel, connection } = open;
  const { userName } = connection.session;
  return {
    name: nameOfChannel(open),
    number: channel.number,
    node: node.name,
    vhost: connection.session.names.vhost,
    user: userName,
    user_who_performed_action: userName,
    connection_details: connectionDetails(connection),
    state: 'running',
    confirm: channel.confirms !== undefined,
    transactional: channel.transaction !== undefined,
    consumer_count: channel.consumers.size,
    prefetch_count: channel.consumerPrefetch,
    global_prefetch_count: channel.prefetch,
    messages_unacknowledged: channel.unacked.size,
    messages_unconfirmed: channel.confirms?.unconfirmed ?? 0,
    messages_uncommitted: 0,
    acks_uncommitted: 0,
    pending_raft_commands: 0,
  };
}
