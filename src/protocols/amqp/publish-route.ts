import type { Topic } from '../../broker/index.ts';
import type { FieldTable, Properties } from '../../wire/amqp/index.ts';
import { isReplyAddress } from './direct-replies.ts';
import { AmqpError } from './errors.ts';
import { checkPermission, type Actor } from './permissions.ts';
import type { PublishRoute, PublishTarget } from './publish-target.ts';
import { isSelective } from './queue-traits.ts';
import type { SessionHost } from './session-host.ts';

/** What routing needs of the server. */
export type RoutingHost = Pick<SessionHost, 'exchanges' | 'broker'>;

/** Whoever publishes. */
export interface Publisher extends Actor {
  readonly host: RoutingHost;
}

/** What a message is routed by, besides its target. */
export interface Routable {
  /** The routing keys that its headers name. */
  readonly copies: readonly string[];
  /** Decoded when first asked for. */
  properties(): Properties;
}

/** A route to more queues is found anew for each message: every channel would keep all of them. */
const keptQueuesMax = 64;
const noReplies: readonly string[] = [];
const noTopics: readonly Topic[] = [];
const noTable: FieldTable = new Map();

/** Finds the queues that a message goes to, each once. Throws NOT_FOUND or ACCESS_REFUSED. */
export function routeOf(session: Publisher, target: PublishTarget, message: Routable): PublishRoute {
  const { exchanges } = session.host;
  const { generation } = exchanges;
  const { copies } = message;
  const isKnown = target.generation === generation && target.access === session.access;
  if (isKnown && target.route && copies.length === 0) return target.route;
  if (!isKnown) admit(session, target);
  target.generation = generation;
  target.access = session.access;
  if (target.exchange === '') return routeByName(session, target, copies);
  const routingKeys = copies.length === 0 ? [target.routingKey] : [target.routingKey, ...copies];
  const { topics, delayed, isOfKey } = exchanges.route(target.source!, {
    routingKeys,
    headers: () => message.properties().headers ?? noTable,
    properties: () => message.properties(),
  });
  const route = { topics, delayed, isSelective: areSelective(topics, delayed), replies: noReplies };
  const isNarrow = topics.length + delayed.length <= keptQueuesMax;
  if (isOfKey && isNarrow && copies.length === 0) target.route = route;
  return route;
}

/** The default exchange: each routing key is the name of a queue, or the address of a requester. */
function routeByName(session: Publisher, target: PublishTarget, copies: readonly string[]): PublishRoute {
  const topics = new Set<Topic>();
  const replies: string[] = [];
  for (const name of new Set([target.routingKey, ...copies])) {
    if (isReplyAddress(name)) {
      replies.push(name);
      continue;
    }
    if (name !== target.routingKey) checkPermission(session, 'write', 'queue', name);
    const topic = session.host.exchanges.queueNamed(name);
    if (topic) topics.add(topic);
  }
  const route = { topics: [...topics], delayed: noTopics, isSelective: areSelective(topics), replies };
  if (copies.length === 0) target.route = route;
  return route;
}

function areSelective(...lists: readonly Iterable<Topic>[]): boolean {
  return lists.some((topics) => Array.from(topics).some((topic) => isSelective(topic)));
}

/** Checks that the exchange exists and that the client may publish to it. */
function admit(session: Publisher, target: PublishTarget): void {
  const { exchange: name, routingKey } = target;
  target.route = undefined;
  if (name === '') {
    // The default exchange is as good as the queue. An address is a permission of its own.
    if (!isReplyAddress(routingKey)) checkPermission(session, 'write', 'queue', routingKey);
    return;
  }
  checkPermission(session, 'write', 'exchange', name);
  target.source = session.host.exchanges.find(name);
  if (target.source.definition.internal)
    throw new AmqpError('ACCESS_REFUSED', `cannot publish to internal ${target.source.shown}`);
}
