import { ClientError } from '../../errors.ts';
import {
  ackWaitDefaultMs,
  deadLetterTopic,
  retryPlan,
  type GroupPlan,
  type GroupSettings,
  type RetryPlan,
} from '../../group-settings.ts';
import { filterSubject } from './subjects.ts';
import { nanosPerMs, type ConsumerConfig } from './wire.ts';

/** The metadata with what JetStream has no member for, as JSON: the group's retries. */
const planMetadata = 'pillarbox.retries';
/** The metadata that tells a Pillarbox server where dead letters go. */
const deadLetterMetadata = 'pillarbox.dead-letter';
/** The metadata that asks a Pillarbox server for order by key. */
const orderingMetadata = 'pillarbox.ordering';

/**
 * The consumer for a group. A Pillarbox server counts deliveries and makes dead letters by itself; of a
 * nats-server, which would only fall silent about a message, the client asks for any number of deliveries.
 */
export function consumerConfig(
  topic: string,
  group: string,
  settings: GroupSettings,
  isPillarbox: boolean,
  before?: ConsumerConfig,
): ConsumerConfig {
  const { start, filter, ackWaitMs, maxInFlight, ordering } = settings;
  const was = before?.metadata?.[orderingMetadata] ?? 'none';
  if (before && ordering !== undefined && ordering !== was)
    throw new ClientError(
      'refused',
      `Group "${group}" of topic "${topic}" keeps its ordering (${was}) for life.`,
    );
  const retries = retryPlan(topic, group, settings, before && retriesOf(topic, group, before));
  const filters = filter === undefined ? [] : typeof filter === 'string' ? [filter] : filter;
  const { maxDeliver, deadLetter } = retries;
  const { filter_subject: _, filter_subjects: __, ...kept } = before ?? ({} as ConsumerConfig);
  return {
    ...(filter === undefined ? before : kept),
    durable_name: group,
    name: group,
    ack_policy: 'explicit',
    deliver_policy: before?.['deliver_policy'] ?? start ?? 'all',
    ack_wait:
      ackWaitMs === undefined ? (before?.ack_wait ?? ackWaitDefaultMs * nanosPerMs) : ackWaitMs * nanosPerMs,
    max_ack_pending: maxInFlight === undefined ? (before?.max_ack_pending ?? -1) : finite(maxInFlight),
    max_deliver: isPillarbox ? finite(maxDeliver) : -1,
    ...(filters.length === 0 ? {} : { filter_subjects: filters.map((each) => filterSubject(topic, each)) }),
    metadata: {
      ...before?.metadata,
      [planMetadata]: JSON.stringify({
        ...retries,
        maxDeliver: finite(maxDeliver),
        deadLetter: deadLetter ?? false,
      }),
      [deadLetterMetadata]: deadLetter ?? 'none',
      ...(ordering === 'key' ? { [orderingMetadata]: 'key' } : {}),
    },
  };
}

export function planOf(topic: string, group: string, config: ConsumerConfig): GroupPlan {
  const ackWaitMs = (config.ack_wait ?? ackWaitDefaultMs * nanosPerMs) / nanosPerMs;
  return { topic, name: group, ackWaitMs, ...retriesOf(topic, group, config) };
}

/** The retries of a consumer; of one that another program made, as far as its configuration says. */
function retriesOf(topic: string, group: string, config: ConsumerConfig): RetryPlan {
  const given = config.metadata?.[planMetadata];
  if (given !== undefined) {
    const { maxDeliver, deadLetter, ...waits } = JSON.parse(given) as Omit<RetryPlan, 'deadLetter'> & {
      readonly deadLetter: string | false;
    };
    return {
      ...waits,
      maxDeliver: infinite(maxDeliver),
      deadLetter: deadLetter === false ? undefined : deadLetter,
    };
  }
  const { maxDeliver: _, ...defaults } = retryPlan(topic, group, {});
  const named = config.metadata?.[deadLetterMetadata] ?? deadLetterTopic(topic, group);
  return {
    ...defaults,
    maxDeliver: infinite(config.max_deliver ?? -1),
    deadLetter: named === 'none' ? undefined : named,
  };
}

/** JetStream writes "no limit" as -1. */
function finite(limit: number): number {
  return limit === Infinity ? -1 : limit;
}

function infinite(limit: number): number {
  return limit < 1 ? Infinity : limit;
}
