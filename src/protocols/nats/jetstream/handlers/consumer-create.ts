import { isDeepStrictEqual } from 'node:util';
import { subjectsOverlap } from '../../../../util/index.ts';
import type { NatsSession } from '../../jetstream-door.ts';
import { checkDeadLetterAccess } from '../access.ts';
import type { ApiAnswer, ApiRequest } from '../api.ts';
import type { StreamConsumer } from '../consumer.ts';
import {
  checkConsumerUpdate,
  consumerConfig,
  consumerConfigShape,
  type ConsumerConfig,
} from '../consumer-config.ts';
import { groupConfigOf } from '../consumer-group.ts';
import { consumerInfo } from '../consumer-info.ts';
import type { Context } from '../context.ts';
import { apiError } from '../errors.ts';
import { freshId } from '../ids.ts';
import { decodeBody, type Decoded } from '../json.ts';
import { coreName } from '../names.ts';
import type { Stream } from '../stream.ts';

const createShape = {
  stream_name: 'string',
  config: { object: consumerConfigShape },
  action: ['', 'create', 'update'],
  pedantic: 'boolean',
} as const;

type CreateRequest = Decoded<typeof createShape>;

/** CONSUMER.CREATE.<stream>[.<name>[.<filter>]] {stream_name, config, action} */
export async function consumerCreate(
  context: Context,
  { session, args, body }: ApiRequest,
): Promise<ApiAnswer> {
  const request = decodeBody(body, createShape);
  const [streamName, name, ...filter] = args;
  checkNames(streamName!, name ?? request.config?.name, request);
  const config = request.config ?? {};
  if (name === undefined) {
    if (config.durable_name) throw apiError('ephemeralWithDurableName');
    return createOrUpdate(context, session, request, config.name || undefined);
  }
  if (config.durable_name && config.durable_name !== name) throw apiError('durableNameNotMatchSubject');
  if (filter.length > 0) {
    if (config.filter_subjects?.length) throw apiError('multipleFiltersNotAllowed');
    if (config.filter_subject !== filter.join('.')) throw apiError('filterSubjectMismatch');
  }
  return createOrUpdate(context, session, request, name);
}

/** CONSUMER.DURABLE.CREATE.<stream>.<name>: the form of clients before 2.9. */
export async function durableCreate(
  context: Context,
  { session, args, body }: ApiRequest,
): Promise<ApiAnswer> {
  const request = decodeBody(body, createShape);
  const [streamName, name] = args;
  checkNames(streamName!, name, request);
  if (!request.config?.durable_name) throw apiError('durableNameNotSet');
  if (request.config.durable_name !== name) throw apiError('durableNameNotMatchSubject');
  return createOrUpdate(context, session, request, name);
}

function checkNames(streamName: string, name: string | undefined, request: CreateRequest): void {
  if (streamName !== request.stream_name) throw apiError('streamMismatch');
  if (name !== undefined && /[\\/]/.test(name)) throw apiError('consumerNamePathSeparators');
}

async function createOrUpdate(
  context: Context,
  session: NatsSession,
  request: CreateRequest,
  name: string | undefined,
): Promise<ApiAnswer> {
  const given = request.config ?? {};
  if ((given.num_replicas ?? 0) > 1) throw apiError('replicasNotSupported');
  const stream = context.streams.get(request.stream_name!);
  const config = consumerConfig(name === undefined ? given : { ...given, name }, stream.config, {
    pedantic: request.pedantic ?? false,
  });
  checkDeadLetterAccess(session, config);
  const existing = name === undefined ? undefined : stream.findConsumer(name);
  if (existing) return update(context, existing, config, request.action);
  if (request.action === 'update') throw apiError('consumerDoesNotExist');
  checkWorkQueue(stream, config);
  // A push consumer takes up the budget only while its subject has a listener. It cannot be refused then, so
  // the budget is checked here.
  if (config.deliver_subject !== undefined) context.broker.budgets.check('consumers');
  const groupName = coreName(name ?? freshName(context, stream), stream.topic.groups);
  const group = await stream.topic.createGroup(groupConfigOf(groupName, config, stream.config));
  return consumerInfo(context, stream.consumerOf(group));
}

async function update(
  context: Context,
  consumer: StreamConsumer,
  wanted: ConsumerConfig,
  action: CreateRequest['action'],
): Promise<ApiAnswer> {
  // A create does not change the pause of an existing consumer: only CONSUMER.PAUSE does.
  const { pause_until: _, ...rest } = wanted;
  const { pause_until: pause } = consumer.config;
  const config: ConsumerConfig = pause === undefined ? rest : { ...rest, pause_until: pause };
  if (isDeepStrictEqual(plain(consumer.config), plain(config))) return consumerInfo(context, consumer);
  if (action === 'create') throw apiError('consumerExists');
  const { group, stream } = consumer;
  if (stream.config.retention === 'workqueue' && !filtersUnique(stream, config, consumer)) {
    throw apiError('workQueueConsumerNotUnique');
  }
  checkConsumerUpdate(consumer.config, config);
  if (consumer.config.deliver_subject !== config.deliver_subject && consumer.push?.bound) {
    throw apiError('consumerNameExists');
  }
  await group.update(groupConfigOf(group.name, config, stream.config, group.config));
  return consumerInfo(context, consumer);
}

/**
 * Checks a new consumer of a work queue as nats-server does: each message belongs to exactly one consumer.
 */
function checkWorkQueue(stream: Stream, config: ConsumerConfig): void {
  if (stream.config.retention !== 'workqueue' || config.direct) return;
  if (config.ack_policy !== 'explicit') throw apiError('workQueueRequiresExplicitAck');
  if (config.deliver_policy !== 'all') throw apiError('workQueueConsumerNotDeliverAll');
  if (stream.topic.groups.size === 0) return;
  if (filtersOf(config).length === 0) throw apiError('workQueueMultipleUnfiltered');
  if (!filtersUnique(stream, config, undefined)) throw apiError('workQueueConsumerNotUnique');
}

function filtersUnique(stream: Stream, config: ConsumerConfig, self: StreamConsumer | undefined): boolean {
  const filters = filtersOf(config);
  const own = filters.length > 0 ? filters : ['>'];
  return stream.consumers().every((other) => {
    if (other === self) return true;
    const others = filtersOf(other.config);
    if (others.length === 0) return false;
    return !others.some((filter) => own.some((mine) => subjectsOverlap(filter, mine)));
  });
}

function filtersOf({ filter_subject: one, filter_subjects: several }: ConsumerConfig): readonly string[] {
  return one === undefined ? (several ?? []) : [one];
}

function freshName({ random }: Context, stream: Stream): string {
  for (;;) {
    const name = freshId(random, 8);
    if (!stream.topic.groups.has(name)) return name;
  }
}

function plain(config: ConsumerConfig): unknown {
  return JSON.parse(JSON.stringify(config)) as unknown;
}
