import type { ApiAnswer, ApiRequest } from '../api.ts';
import type { StreamConsumer } from '../consumer.ts';
import { consumerInfo } from '../consumer-info.ts';
import type { Context } from '../context.ts';
import { apiError } from '../errors.ts';
import { decodeBody } from '../json.ts';
import { nanosPerMs, timeMs, timeText, zeroTime } from '../time.ts';
import { checkGroupName, tellUnpinned } from '../priority-groups.ts';
import { decodeOptional } from './page.ts';

const pauseShape = { pause_until: 'time' } as const;

/**
 * CONSUMER.PAUSE.<stream>.<consumer> {pause_until}: without a time, or with one that has passed, the consumer
 * resumes.
 */
export async function consumerPause(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  const untilMs = timeMs(decodeOptional(body, pauseShape).pause_until);
  const [stream, consumer] = args as [string, string];
  const { group } = context.streams.get(stream).getConsumer(consumer);
  const remainingMs = untilMs === undefined ? 0 : untilMs - context.clock.now();
  if (remainingMs <= 0) {
    if (group.config.paused) await group.resume();
    return { paused: false, pause_until: untilMs === undefined ? zeroTime : timeText(untilMs) };
  }
  await group.pause(untilMs);
  return { paused: true, pause_until: timeText(untilMs!), pause_remaining: remainingMs * nanosPerMs };
}

const resetShape = { seq: 'unsigned' } as const;

/**
 * CONSUMER.RESET.<stream>.<consumer> {seq}: deliveries start again at seq; without seq, after the ack floor.
 */
export async function consumerReset(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  const { seq } = decodeBody(body, resetShape);
  const [streamName, name] = args as [string, string];
  const consumer = context.streams.get(streamName).getConsumer(name);
  if (seq) await checkReset(consumer, seq);
  const offset = seq ? Math.max(0, seq - 1) : consumer.group.info().answeredEnd;
  await consumer.group.reset({ kind: 'offset', offset, beyondEnd: true });
  return { ...(await consumerInfo(context, consumer)), reset_seq: offset + 1 };
}

/** Checks that a reset does not go back before the configured start of the consumer. Throws 10204. */
async function checkReset({ config, group }: StreamConsumer, seq: number): Promise<void> {
  switch (config.deliver_policy) {
    case 'all':
      return;
    case 'by_start_sequence':
      if (seq < config.opt_start_seq!) throw apiError('invalidReset', 'below start seq');
      return;
    case 'by_start_time': {
      const first = await group.topic.partitions.at(0)!.offsetAtTime(timeMs(config.opt_start_time)!);
      if (seq < first + 1) throw apiError('invalidReset', 'below start time');
      return;
    }
    default:
      throw apiError('invalidReset', 'not allowed');
  }
}

const unpinShape = { group: 'string' } as const;

/** CONSUMER.UNPIN.<stream>.<consumer> {group}: the pinned client is pinned no longer. */
export function consumerUnpin(context: Context, { args, body }: ApiRequest): ApiAnswer {
  if (body.length === 0) throw apiError('invalidJson', 'unexpected end of JSON input');
  const { group: wanted = '' } = decodeBody(body, unpinShape);
  if (wanted === '') throw apiError('invalidJson', 'consumer group not specified');
  checkGroupName(wanted);
  const [stream, name] = args as [string, string];
  const { config, group } = context.streams.get(stream).getConsumer(name);
  if (!config.priority_groups?.includes(wanted)) throw apiError('invalidPriorityGroup');
  if (config.priority_policy !== 'pinned_client' || !group.releaseActive())
    tellUnpinned(context, group, 'admin');
  return {};
}
