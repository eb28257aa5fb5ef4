import { isDeepStrictEqual } from 'node:util';
import type { ApiAnswer, ApiRequest } from '../api.ts';
import type { Context } from '../context.ts';
import { apiError } from '../errors.ts';
import { decodeBody } from '../json.ts';
import { attributesWithPastSubjects } from '../past-subjects.ts';
import type { Stream } from '../stream.ts';
import {
  streamConfig,
  streamConfigShape,
  topicConfigOf,
  updatedStreamConfig,
  type StreamConfig,
} from '../stream-config.ts';
import { streamInfo } from '../stream-info.ts';

/** STREAM.CREATE.<stream> StreamConfig. Creating a stream again with the same configuration is allowed. */
export async function streamCreate(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  const request = decodeBody(body, streamConfigShape);
  const [name] = args;
  if (name !== request.name) throw apiError('streamMismatch');
  if (/[\\/]/.test(name!)) throw apiError('streamNamePathSeparators');
  if (request.sealed)
    throw apiError('streamInvalidConfig', 'stream configuration for create can not be sealed');
  if (request.mirror_direct && !request.mirror) {
    throw apiError('streamInvalidConfig', 'stream has no mirror but does have mirror direct');
  }
  const config = streamConfig(request);
  if (config.num_replicas > 1) throw apiError('replicasNotSupported');
  const existing = context.streams.find(config.name);
  if (existing) {
    if (!isDeepStrictEqual(plain(existing.config), plain(config))) throw apiError('streamNameExists');
    return { ...(await streamInfo(context, existing)), did_create: true };
  }
  if (config.allow_msg_schedules) await context.broker.schedules.loadCron();
  const topic = await context.broker.createTopic(topicConfigOf(config));
  return { ...(await streamInfo(context, context.streams.of(topic))), did_create: true };
}

/** STREAM.UPDATE.<stream> StreamConfig: the whole new configuration. */
export async function streamUpdate(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  const request = decodeBody(body, streamConfigShape);
  const wanted = streamConfig(request);
  if (args[0] !== wanted.name) throw apiError('streamMismatch');
  const stream = context.streams.get(wanted.name);
  const config = updatedStreamConfig(stream.config, wanted);
  checkConsumerLimits(stream, config);
  if (config.allow_msg_schedules) await context.broker.schedules.loadCron();
  const { topic } = stream;
  const core = topicConfigOf(config, topic.config);
  const before = { subjects: stream.config.subjects, attributes: core.attributes };
  await topic.update({ ...core, attributes: attributesWithPastSubjects(before, config.subjects) });
  return streamInfo(context, context.streams.of(topic));
}

/** Checks that no consumer exceeds new limits for consumers. Throws 10069. */
function checkConsumerLimits(stream: Stream, config: StreamConfig): void {
  const { inactive_threshold: inactive, max_ack_pending: pending } = config.consumer_limits;
  const before = stream.config.consumer_limits;
  const changes =
    (inactive && inactive !== before.inactive_threshold) || (pending && pending !== before.max_ack_pending);
  if (!changes) return;
  const over = stream
    .consumers()
    .filter(
      ({ config: consumer }) =>
        (inactive && (consumer.inactive_threshold ?? 0) > inactive) ||
        (pending && (consumer.max_ack_pending ?? 0) > pending),
    );
  if (over.length === 0) return;
  const names = over.map(({ name }) => name).join(', ');
  throw apiError('streamUpdate', `change to limits violates consumers: ${names}`);
}

/** The configuration as JSON transfers it, so that one from the journal equals one just decoded. */
function plain(config: StreamConfig): unknown {
  return JSON.parse(JSON.stringify(config)) as unknown;
}
