import { defaultGroup, type Topic } from '../../../broker/index.ts';
import { definitionOf, virtualHost } from '../../amqp/index.ts';
import { rfc3339 } from '../../../util/index.ts';
import type { Api } from '../api.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import { countsOf, messagesOf, statsOf } from '../message-figures.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { virtualHostOf } from '../virtual-hosts.ts';
import { visibleQueues } from '../visible.ts';
import { consumersOfQueue } from './consumers.ts';

export function list({ caller, params, query }: ApiRequest, api: Api): ApiReply {
  virtualHostOf(params);
  const isShort = query.get('disable_stats') === 'true';
  const withTotals = query.get('enable_queue_totals') === 'true';
  return listed(query, {
    entries: visibleQueues(api.amqp, caller),
    nameOf: ({ name }) => name,
    describe: (topic) =>
      isShort
        ? { ...describeDefinition(topic, api), ...(withTotals && totals(topic)) }
        : describeQueue(topic, api),
  });
}

export function show(request: ApiRequest, api: Api): ApiReply {
  const topic = queueOf(request, api);
  return shown(request.query, {
    ...describeQueue(topic, api),
    consumer_details: consumersOfQueue(topic, api),
    incoming: [],
    deliveries: [],
  });
}

/** The queue in the path. Throws an ApiError if there is none that the caller may see. */
export function queueOf({ caller, params }: ApiRequest, { amqp }: Api): Topic {
  virtualHostOf(params);
  const topic = amqp.broker.topic(params['queue'] ?? '');
  if (!topic || !caller.access.maySee(topic.name)) throw objectNotFound();
  return topic;
}

function describeDefinition(topic: Topic, { node }: Api): object {
  const { durable, exclusive, autoDelete, arguments: table } = definitionOf(topic);
  return {
    name: topic.name,
    vhost: virtualHost,
    type: typeOf(topic),
    durable,
    exclusive,
    auto_delete: autoDelete,
    arguments: jsonOfTable(table),
    node: node.name,
    state: 'running',
    policy: null,
    operator_policy: null,
    effective_policy_definition: {},
  };
}

/** `classic` or `quorum`: what its client asked for; there is no difference here. */
export function typeOf(topic: Topic): string {
  const type = definitionOf(topic).arguments.get('x-queue-type');
  return typeof type === 'string' ? type : 'classic';
}

function totals(topic: Topic): object {
  const { all, ready, unacked } = messagesOf(topic);
  return { messages: all, messages_ready: ready, messages_unacknowledged: unacked };
}

function describeQueue(topic: Topic, api: Api): object {
  const group = topic.groups.get(defaultGroup);
  const { all, unacked } = messagesOf(topic);
  const bytes = topic.durableBytes;
  const unackedBytes = all === 0 ? 0 : Math.round((bytes * unacked) / all);
  const lastMs = group?.info().lastDeliveredMs;
  const isIdle = (group?.consumers ?? 0) === 0;
  return {
    ...describeDefinition(topic, api),
    consumers: group?.consumers ?? 0,
    consumer_capacity: 0,
    consumer_utilisation: 0,
    exclusive_consumer_tag: null,
    single_active_consumer_tag: group?.active?.label ?? null,
    ...countsOf(topic),
    messages_persistent: topic.config.durability === 'disk' ? all : 0,
    messages_ram: topic.config.durability === 'disk' ? 0 : all,
    message_bytes: bytes,
    message_bytes_ready: bytes - unackedBytes,
    message_bytes_unacknowledged: unackedBytes,
    message_bytes_persistent: topic.config.durability === 'disk' ? bytes : 0,
    message_bytes_ram: topic.config.durability === 'disk' ? 0 : bytes,
    message_stats: statsOf(topic),
    memory: 0,
    head_message_timestamp: null,
    ...(isIdle && { idle_since: rfc3339(lastMs ?? topic.createdMs) }),
  };
}
