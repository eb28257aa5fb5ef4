import type { NatsSession } from '../jetstream-door.ts';
import type { TopicAction } from '../../users/index.ts';
import type { Context } from './context.ts';
import { accountInfo } from './handlers/account.ts';
import { clusterRequired, notSupported } from './handlers/cluster.ts';
import { consumerCreate, durableCreate } from './handlers/consumer-create.ts';
import { consumerDelete, consumerInfoOf, consumerList, consumerNames } from './handlers/consumer.ts';
import { consumerPause, consumerReset, consumerUnpin } from './handlers/consumer-pause.ts';
import { messageDelete, messageGet } from './handlers/message.ts';
import { streamCreate, streamUpdate } from './handlers/stream-create.ts';
import { zeroTime } from './time.ts';
import { streamDelete, streamInfoOf, streamList, streamNames, streamPurge } from './handlers/stream.ts';

/** A request to the JetStream API: `$JS.API.<verb>[.<arg>…]` with a JSON body. */
export interface ApiRequest {
  readonly session: NatsSession;
  /** The tokens after the verb: stream, consumer, … */
  readonly args: readonly string[];
  /** A view that is valid only until the handler returns or first awaits: decode it at once. */
  readonly body: Uint8Array;
}

export type ApiAnswer = object;
export type ApiHandler = (context: Context, request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>;

/**
 * A verb: the type of its answer, the number of tokens after it (`+`: that many or more), and its handler.
 */
interface VerbDefinition {
  /** Answers have the type `io.nats.jetstream.api.v1.<answer>_response`. */
  readonly answer: string;
  readonly args: number | `${number}+`;
  readonly handle: ApiHandler;
  /** The permission that the client needs for the topic in the first token; absent: none. */
  readonly needs?: TopicAction | 'any';
  /** Members of an error answer besides the error, as in nats-server. */
  readonly errorMembers?: object;
}

export type Verb =
  | 'INFO'
  | 'STREAM.CREATE'
  | 'STREAM.UPDATE'
  | 'STREAM.INFO'
  | 'STREAM.NAMES'
  | 'STREAM.LIST'
  | 'STREAM.DELETE'
  | 'STREAM.PURGE'
  | 'STREAM.MSG.GET'
  | 'STREAM.MSG.DELETE'
  | 'STREAM.SNAPSHOT'
  | 'STREAM.RESTORE'
  | 'STREAM.LEADER.STEPDOWN'
  | 'STREAM.PEER.REMOVE'
  | 'CONSUMER.CREATE'
  | 'CONSUMER.DURABLE.CREATE'
  | 'CONSUMER.INFO'
  | 'CONSUMER.NAMES'
  | 'CONSUMER.LIST'
  | 'CONSUMER.DELETE'
  | 'CONSUMER.PAUSE'
  | 'CONSUMER.RESET'
  | 'CONSUMER.UNPIN'
  | 'CONSUMER.LEADER.STEPDOWN';

const emptyPage = { total: 0, offset: 0, limit: 0 };

/**
 * All verbs with a JSON answer. DIRECT.GET and CONSUMER.MSG.NEXT answer with messages: see direct-get.ts and
 * pull-request.ts.
 */
export const verbs: { readonly [V in Verb]: VerbDefinition } = {
  INFO: { answer: 'account_info', args: 0, handle: accountInfo },
  'STREAM.CREATE': { answer: 'stream_create', args: 1, needs: 'manage', handle: streamCreate },
  'STREAM.UPDATE': { answer: 'stream_update', args: 1, needs: 'manage', handle: streamUpdate },
  'STREAM.INFO': {
    answer: 'stream_info',
    args: 1,
    needs: 'any',
    handle: streamInfoOf,
    errorMembers: emptyPage,
  },
  'STREAM.NAMES': { answer: 'stream_names', args: 0, handle: streamNames },
  'STREAM.LIST': { answer: 'stream_list', args: 0, handle: streamList },
  'STREAM.DELETE': { answer: 'stream_delete', args: 1, needs: 'manage', handle: streamDelete },
  'STREAM.PURGE': {
    answer: 'stream_purge',
    args: 1,
    needs: 'manage',
    handle: streamPurge,
    errorMembers: { purged: 0 },
  },
  'STREAM.MSG.GET': { answer: 'stream_msg_get', args: 1, needs: 'consume', handle: messageGet },
  'STREAM.MSG.DELETE': { answer: 'stream_msg_delete', args: 1, needs: 'manage', handle: messageDelete },
  'STREAM.SNAPSHOT': {
    answer: 'stream_snapshot',
    args: 1,
    needs: 'consume',
    handle: notSupported('streamSnapshot'),
  },
  'STREAM.RESTORE': {
    answer: 'stream_restore',
    args: 1,
    needs: 'manage',
    handle: notSupported('streamRestore'),
  },
  'STREAM.LEADER.STEPDOWN': {
    answer: 'stream_leader_stepdown',
    args: 1,
    needs: 'manage',
    handle: clusterRequired,
  },
  'STREAM.PEER.REMOVE': { answer: 'stream_remove_peer', args: 1, needs: 'manage', handle: clusterRequired },
  'CONSUMER.CREATE': { answer: 'consumer_create', args: '1+', needs: 'consume', handle: consumerCreate },
  'CONSUMER.DURABLE.CREATE': { answer: 'consumer_create', args: 2, needs: 'consume', handle: durableCreate },
  'CONSUMER.INFO': { answer: 'consumer_info', args: 2, needs: 'consume', handle: consumerInfoOf },
  'CONSUMER.NAMES': {
    answer: 'consumer_names',
    args: 1,
    needs: 'consume',
    handle: consumerNames,
    errorMembers: { ...emptyPage, consumers: [] },
  },
  'CONSUMER.LIST': {
    answer: 'consumer_list',
    args: 1,
    needs: 'consume',
    handle: consumerList,
    errorMembers: { ...emptyPage, consumers: [] },
  },
  'CONSUMER.DELETE': { answer: 'consumer_delete', args: 2, needs: 'consume', handle: consumerDelete },
  'CONSUMER.PAUSE': {
    answer: 'consumer_pause',
    args: 2,
    needs: 'consume',
    handle: consumerPause,
    errorMembers: { paused: false, pause_until: zeroTime },
  },
  'CONSUMER.RESET': {
    answer: 'consumer_reset',
    args: 2,
    needs: 'consume',
    handle: consumerReset,
    errorMembers: { reset_seq: 0 },
  },
  'CONSUMER.UNPIN': { answer: 'consumer_unpin', args: 2, needs: 'consume', handle: consumerUnpin },
  'CONSUMER.LEADER.STEPDOWN': {
    answer: 'consumer_leader_stepdown',
    args: 2,
    needs: 'consume',
    handle: clusterRequired,
  },
};

/**
 * `STREAM.CREATE.orders` → the verb and `['orders']`; undefined if there is no such verb or it has too few or
 * too many arguments.
 */
export function parseVerb(
  path: string,
): { readonly verb: Verb; readonly args: readonly string[] } | undefined {
  const tokens = path.split('.');
  for (let length = Math.min(3, tokens.length); length > 0; length--) {
    const name = tokens.slice(0, length).join('.');
    if (!Object.hasOwn(verbs, name)) continue;
    const verb = name as Verb;
    const args = tokens.slice(length);
    return takesArgs(verbs[verb].args, args) ? { verb, args } : undefined;
  }
  return undefined;
}

function takesArgs(wanted: VerbDefinition['args'], args: readonly string[]): boolean {
  if (args.includes('')) return false;
  return typeof wanted === 'number' ? args.length === wanted : args.length >= Number.parseInt(wanted, 10);
}
