import { defaultGroup, type Topic } from '../../../broker/index.ts';
import { definitionOf, policyNamesOf } from '../../amqp/index.ts';
import { rfc3339 } from '../../../util/index.ts';
import type { Api } from '../api.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { jsonOfTable } from '../field-json.ts';
import { countsOf, messagesOf, statsOf } from '../message-figures.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { hostOf, hostsOf } from '../virtual-hosts.ts';
import { visibleQueues, type QueueEntry } from '../visible.ts';
import { consumersOfQueue } from './consumers.ts';

export async function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { query } = request;
  const isShort = query.get('disable_stats') === 'true';
  const withTotals = query.get('enable_queue_totals') === 'true';
  return listed(request, {
    entries: await visibleQueues(request, api.amqp, hostsOf(request, api)),
    nameOf: ({ name }) => name,
    describe: (queue) =>
      isShort
        ? { ...describeDefinition(queue, api), ...(withTotals && totals(queue)) }
        : describeQueue(queue, api),
  });
}

export async function show(request: ApiRequest, api: Api): Promise<ApiReply> {
  const queue = queueOf(request, api);
  return shown(request.query, {
    ...describeQueue(queue, api),
    consumer_details: await consumersOfQueue(queue.topic, request, api),
    incoming: [],
    deliveries: [],
  });
}

/** The queue in the path. Throws an ApiError if there is none that the caller may see. */
export function queueOf(request: ApiRequest, api: Api): QueueEntry {
  const host = hostOf(request, api);
  const { queue: name = '' } = request.params;
  const topicName = host.queues.names.topicName(name);
  const topic = topicName === undefined ? undefined : api.amqp.broker.topic(topicName);
  if (!topic || !request.caller.access.maySee(topic.name)) throw objectNotFound();
  return { host, name, topic };
}

function describeDefinition({ host, name, topic }: QueueEntry, { amqp, node }: Api): object {
  const { name: policy, operatorName } = policyNamesOf(topic);
  const { durable, exclusive, autoDelete, arguments: table } = definitionOf(topic);
  return {
    name,
    vhost: host.name,
    type: typeOf(topic),
    durable,
    exclusive,
    auto_delete: autoDelete,
    arguments: jsonOfTable(table),
    node: node.name,
    state: 'running',
    policy: policy ?? null,
    operator_policy: operatorName ?? null,
    effective_policy_definition:
      amqp.virtualHosts.policies.definitionOf(host.name, policy, operatorName) ?? {},
  };
}

/** `classic` or `quorum`: what its client asked for; there is no difference here. */
function typeOf(topic: Topic): string {
  const type = definitionOf(topic).arguments.get('x-queue-type');
  return typeof type === 'string' ? type : 'classic';
}

function totals({ topic }: QueueEntry): object {
  const { all, ready, unacked } = messagesOf(topic);
  return { messages: all, messages_ready: ready, messages_unacknowledged: unacked };
}

function describeQueue(queue: QueueEntry, api: Api): object {
  const { topic } = queue;
  const group = topic.groups.get(defaultGroup);
  const { all, unacked } = messagesOf(topic);
  const bytes = topic.durableBytes;
  const unackedBytes = all === 0 ? 0 : Math.round((bytes * unacked) / all);
  const lastMs = group?.info().lastDeliveredMs;
  const isIdle = (group?.consumers ?? 0) === 0;
  return {
    ...describeDefinition(queue, api),
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
