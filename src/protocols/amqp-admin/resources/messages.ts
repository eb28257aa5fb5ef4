import {
  BrokerError,
  Collector,
  Receipt,
  type Delivery,
  type Group,
  type Topic,
} from '../../../broker/index.ts';
import { readProperties } from '../../../wire/amqp/index.ts';
import { checkPermission, countOf, handedOverParts, checkNoStream, publishSingle } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { noConnection } from '../caller.ts';
import { badRequest, whileMessaging } from '../errors.ts';
import { gotBytesMax, gotMessagesMax } from '../limits.ts';
import { jsonOfProperties, payloadJson, payloadOf, propertiesOfJson } from '../message-json.ts';
import { json, type ApiReply } from '../reply.ts';
import { checkPresent, objectOf, shortTextOf, textOf, wholeNumberOf, type ApiRequest } from '../request.ts';
import { actorIn, hostOf } from '../virtual-hosts.ts';
import { exchangeNameOf } from './exchanges.ts';

// ---- publish

/** Publishes one message; answers when it is on disk, or without a route at once. */
export async function publish(request: ApiRequest, api: Api): Promise<ApiReply> {
  const host = hostOf(request, api);
  const exchange = exchangeNameOf(request.params['exchange'] ?? '');
  const body = await request.body();
  checkPresent(body, ['routing_key', 'properties', 'payload', 'payload_encoding']);
  const routingKey = shortTextOf(body, 'routing_key') ?? '';
  const payload = payloadOf(body['payload'], body['payload_encoding']);
  const properties = propertiesOfJson(objectOf(body, 'properties'));
  return whileMessaging(async () => {
    const message = { exchange, routingKey, properties, body: payload };
    const routing = { ...api.amqp, exchanges: host.exchanges };
    const published = publishSingle(routing, actorIn(host, request.caller), message, api.amqp.limits);
    return json({ routed: await published.catch(rejected) });
  });
}

/** The refusal of a queue. */
function rejected(error: unknown): never {
  if (!(error instanceof BrokerError)) throw error;
  throw badRequest('rejected Unable to publish message. Check queue limits.');
}

// ---- get

/** What becomes of messages that were got. */
const settlements: { readonly [mode: string]: (receipt: Receipt) => boolean } = {
  ack_requeue_false: (receipt) => receipt.ack(),
  ack_requeue_true: (receipt) => receipt.release(),
  reject_requeue_false: (receipt) => receipt.reject('rejected'),
  reject_requeue_true: (receipt) => receipt.nack(),
};

/** Gets messages of a queue: as many as there are, at most {@link gotMessagesMax}. */
export async function get(request: ApiRequest, api: Api): Promise<ApiReply> {
  const host = hostOf(request, api);
  const { queue = '' } = request.params;
  const body = await request.body();
  checkPresent(body, ['ackmode', 'count', 'encoding']);
  const count = wholeNumberOf(body, 'count') ?? 1;
  const encoding = textOf(body, 'encoding');
  const settle = settlements[textOf(body, 'ackmode') ?? ''];
  const truncate = wholeNumberOf(body, 'truncate') ?? Infinity;
  if (encoding !== 'auto' && encoding !== 'base64')
    throw badRequest('Unsupported encoding. Please use auto or base64.');
  if (!settle) throw badRequest('Unsupported ackmode.');
  return whileMessaging(async () => {
    const { queues } = host;
    checkPermission(actorIn(host, request.caller), 'read', 'queue', queue);
    const topic = queues.find(queue, noConnection);
    checkNoStream(queues, topic, 'basic.get');
    const group = await queues.group(topic);
    const wanted = { queue, count, encoding, truncate } as const;
    return { kind: 'list', entries: await collect(api, topic, group, wanted, settle) };
  });
}

interface Wanted {
  readonly queue: string;
  readonly count: number;
  readonly encoding: 'auto' | 'base64';
  /** Bytes of a body that are shown. */
  readonly truncate: number;
}

function collect(
  { amqp }: Api,
  topic: Topic,
  group: Group,
  { queue: name, count, encoding, truncate }: Wanted,
  settle: (receipt: Receipt) => boolean,
): Promise<object[]> {
  const got: object[] = [];
  const receipts: Receipt[] = [];
  const messagesMax = Math.min(Math.max(0, count), gotMessagesMax);
  if (messagesMax === 0) return Promise.resolve(got);
  const queue = Buffer.from(name, 'utf8');
  return new Promise((resolve) => {
    const collected = (delivery: Delivery): number => {
      const { record, deliveries, bytes } = delivery;
      const parts = handedOverParts(record, queue, topic.config.durability === 'disk', amqp.broker);
      const value = Buffer.from(record.value ?? '');
      receipts.push(Receipt.of(group, delivery));
      got.push({
        payload_bytes: value.length,
        redelivered: deliveries > 1,
        exchange: Buffer.from(parts.exchange).toString('utf8'),
        routing_key: Buffer.from(parts.routingKey).toString('utf8'),
        message_count: countOf(topic, group),
        properties: jsonOfProperties(readProperties(parts.properties)),
        ...payloadJson(value.subarray(0, Math.max(0, truncate)), encoding),
      });
      return bytes;
    };
    // A delivery cannot be answered while it is made.
    const completed = (): void =>
      queueMicrotask(() => {
        for (const receipt of receipts) settle(receipt);
        amqp.broker.afterCommit(() => resolve(got));
      });
    new Collector(
      amqp.broker.clock,
      { messagesMax, bytesMax: gotBytesMax, idle: 'answer', takesAnyFirst: true },
      { collected, completed },
    ).attach(group);
  });
}
