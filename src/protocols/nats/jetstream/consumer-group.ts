import {
  deadLetterName,
  groupConfig,
  type Group,
  type GroupConfig,
  type GroupStart,
} from '../../../broker/index.ts';
import { ackWaitNanosDefault, maxWaitingDefault, type ConsumerConfig } from './consumer-config.ts';
import { apiError } from './errors.ts';
import { assetName, isAssetName } from './names.ts';
import type { StreamConfig } from './stream-config.ts';
import { msOfNanos, nanosOfMs, timeMs, timeText } from './time.ts';

/** The metadata member with the name of a consumer's dead-letter topic; `none` turns dead letters off. */
export const deadLetterMetadata = 'pillarbox.dead-letter';

/** The longest time of a timer, about 24 days. */
const timerMsMax = 2 ** 31 - 1;

/** The metadata member that says whether a consumer gets higher priorities first: `honour` or `ignore`. */
const priorityMetadata = 'pillarbox.priority';

/**
 * The metadata member that says whether the messages of a subject are delivered one at a time, in order:
 * `key`. A consumer keeps what it began with.
 */
const orderingMetadata = 'pillarbox.ordering';

/** The group's configuration for a consumer. `attributes.nats` keeps the consumer's whole configuration. */
export function groupConfigOf(
  name: string,
  config: ConsumerConfig,
  stream: StreamConfig,
  base?: GroupConfig,
): GroupConfig {
  const deadLetter = deadLetterOf(name, config, stream);
  const pausedUntilMs = timeMs(config.pause_until);
  const inMemory = config.mem_storage === true || stream.storage === 'memory';
  const {
    pausedUntilMs: _,
    maxDeliver: __,
    maxInFlight: ___,
    deadLetter: ____,
    inactiveMs: _____,
    activeConsumers: ______,
    activeSilenceMs: _______,
    priority: ________,
    ...kept
  } = base ?? {
    paused: false,
  };
  return groupConfig({
    ...kept,
    name,
    durable: !inMemory,
    filters: config.filter_subject === undefined ? (config.filter_subjects ?? []) : [config.filter_subject],
    start: startOf(config),
    ack: config.ack_policy,
    ackWaitMs: msOfNanos(config.ack_wait ?? ackWaitNanosDefault),
    backoffMs: (config.backoff ?? []).map(msOfNanos),
    backoffMeans: 'deadline',
    redeliverAfterRestart: 'at-deadline',
    ...(config.max_deliver > 0 ? { maxDeliver: config.max_deliver } : {}),
    ...(config.max_ack_pending !== undefined && config.max_ack_pending > 0
      ? { maxInFlight: config.max_ack_pending }
      : {}),
    ...(deadLetter === undefined ? {} : { deadLetter }),
    ...(base === undefined && config.metadata?.[orderingMetadata] === 'key'
      ? { ordering: 'key' as const }
      : {}),
    ...(readsInOrder(config) ? { priority: 'ignore' as const } : {}),
    ...(pausedUntilMs === undefined ? { paused: false } : { paused: true, pausedUntilMs }),
    ...activeOf(config, base),
    ...(config.inactive_threshold === undefined ? {} : { inactiveMs: msOfNanos(config.inactive_threshold) }),
    attributes: { ...base?.attributes, nats: config },
  });
}

/**
 * A pinned client is the single active consumer of the group. A group that another protocol configured so
 * stays as it is.
 */
function activeOf(
  { priority_policy: policy, priority_timeout: nanos }: ConsumerConfig,
  base: GroupConfig | undefined,
): Pick<GroupConfig, 'activeConsumers' | 'activeSilenceMs'> {
  if (policy === 'pinned_client') {
    const activeSilenceMs = Math.min(timerMsMax, Math.max(1, msOfNanos(nanos!)));
    return { activeConsumers: 'single', activeSilenceMs };
  }
  const before = base?.attributes['nats'] as ConsumerConfig | undefined;
  if (before?.priority_policy === 'pinned_client') return {};
  return {
    ...(base?.activeConsumers === undefined ? {} : { activeConsumers: base.activeConsumers }),
    ...(base?.activeSilenceMs === undefined ? {} : { activeSilenceMs: base.activeSilenceMs }),
  };
}

/**
 * The consumer configuration that a group shows to NATS clients, even if another protocol created the group.
 */
export function consumerConfigOf(group: Group): ConsumerConfig {
  const core = group.config;
  const given = core.attributes['nats'] as ConsumerConfig | undefined;
  const { pause_until: _, ...kept } = given ?? foreignConfig(core);
  return {
    ...kept,
    ...(core.paused && core.pausedUntilMs !== undefined ? { pause_until: timeText(core.pausedUntilMs) } : {}),
  };
}

/**
 * Whether the consumer gets messages in the order of the stream, whatever their priorities. The ordered
 * consumers of clients do: they are ephemeral and ack nothing, and start anew behind the last message they
 * got.
 */
function readsInOrder({ metadata, ack_policy: ack, durable_name: durable }: ConsumerConfig): boolean {
  const said = metadata?.[priorityMetadata];
  return said === undefined ? ack === 'none' && durable === undefined : said === 'ignore';
}

function foreignConfig(core: GroupConfig): ConsumerConfig {
  const name = assetName(core.name);
  return {
    durable_name: name,
    name,
    deliver_policy: policies[core.start.kind],
    ...(core.start.kind === 'offset' ? { opt_start_seq: core.start.offset + 1 } : {}),
    ...(core.start.kind === 'time' ? { opt_start_time: timeText(core.start.timestampMs) } : {}),
    ack_policy: core.ack,
    ...(core.ack === 'none' ? {} : { ack_wait: nanosOfMs(core.ackWaitMs) }),
    max_deliver: core.maxDeliver ?? -1,
    ...(core.backoffMs.length > 0 ? { backoff: core.backoffMs.map((ms) => nanosOfMs(ms)) } : {}),
    ...(core.filters.length === 1 ? { filter_subject: core.filters[0]! } : {}),
    ...(core.filters.length > 1 ? { filter_subjects: core.filters } : {}),
    replay_policy: 'instant',
    max_waiting: maxWaitingDefault,
    ...(core.ack === 'none' ? {} : { max_ack_pending: core.maxInFlight ?? -1 }),
    ...(core.inactiveMs === undefined ? {} : { inactive_threshold: nanosOfMs(core.inactiveMs) }),
    num_replicas: 0,
  };
}

const policies = {
  all: 'all',
  new: 'new',
  last: 'last',
  'last-per-key': 'last_per_subject',
  offset: 'by_start_sequence',
  time: 'by_start_time',
} as const satisfies { [K in GroupStart['kind']]: ConsumerConfig['deliver_policy'] };

function startOf(config: ConsumerConfig): GroupStart {
  switch (config.deliver_policy) {
    case 'all':
    case 'new':
    case 'last':
      return { kind: config.deliver_policy };
    case 'last_per_subject':
      return { kind: 'last-per-key' };
    case 'by_start_sequence':
      return { kind: 'offset', offset: (config.opt_start_seq ?? 1) - 1, beyondEnd: true };
    case 'by_start_time':
      break;
  }
  return { kind: 'time', timestampMs: timeMs(config.opt_start_time) ?? 0 };
}

/**
 * The topic for messages that a consumer with `max_deliver` gives up; undefined: none. An extension of NATS.
 */
function deadLetterOf(name: string, config: ConsumerConfig, stream: StreamConfig): string | undefined {
  if (config.max_deliver < 1 || config.ack_policy === 'none') return undefined;
  const named = config.metadata?.[deadLetterMetadata];
  if (named === 'none') return undefined;
  if (named !== undefined && !isAssetName(named)) {
    throw apiError('consumerCreate', `metadata ${deadLetterMetadata}: "${named}" is not a stream name`);
  }
  return named ?? deadLetterName(stream.name, name);
}
