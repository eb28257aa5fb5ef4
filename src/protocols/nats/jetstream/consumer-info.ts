import type { StreamConsumer } from './consumer.ts';
import type { Context } from './context.ts';
import { shownMetadata } from './names.ts';
import { priorityState } from './priority-groups.ts';
import { nanosPerMs, timeText } from './time.ts';
import { whenDurable } from './when-durable.ts';

/** The API level that a pause requires, and a priority policy. */
const pauseOrPriorityLevel = 1;

/**
 * The members of a ConsumerInfo, as in the answers of CONSUMER.INFO, CREATE, LIST and RESET. Resolves when
 * the messages that it counts are on disk.
 */
export async function consumerInfo(context: Context, consumer: StreamConsumer): Promise<object> {
  const info = currentInfo(context, consumer);
  await whenDurable(context, consumer.stream.topic);
  return info;
}

function currentInfo(context: Context, consumer: StreamConsumer): object {
  const { group, config } = consumer;
  const info = group.info();
  const nowMs = context.clock.now();
  const remainingMs = info.pausedUntilMs === undefined ? 0 : Math.max(0, info.pausedUntilMs - nowMs);
  return {
    stream_name: consumer.stream.name,
    name: consumer.name,
    created: timeText(group.createdMs),
    config: {
      ...config,
      metadata: shownMetadata(
        config.metadata,
        config.pause_until === undefined && config.priority_policy === undefined ? 0 : pauseOrPriorityLevel,
        context.server,
      ),
    },
    // A stream sequence is offset + 1, so the last sequence before an end is the same number as the end.
    delivered: {
      consumer_seq: info.deliverySequence,
      stream_seq: info.deliveredEnd,
      ...(info.lastDeliveredMs === undefined ? {} : { last_active: timeText(info.lastDeliveredMs) }),
    },
    ack_floor: {
      consumer_seq: info.ackFloorSequence,
      stream_seq: info.answeredEnd,
      ...(info.lastAckMs === undefined ? {} : { last_active: timeText(info.lastAckMs) }),
    },
    num_ack_pending: info.inFlight,
    num_redelivered: info.redelivered,
    num_waiting: consumer.waiting.size,
    num_pending: info.lag,
    ...(consumer.push?.bound ? { push_bound: true } : {}),
    ...(info.paused ? { paused: true } : {}),
    ...(info.paused && remainingMs > 0 ? { pause_remaining: remainingMs * nanosPerMs } : {}),
    ts: timeText(nowMs),
    ...priorityState(config, group),
  };
}
