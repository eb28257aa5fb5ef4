import { hasWildcards, isSubscribeSubject, subjectCovers, subjectMatches } from '../../../util/index.ts';
import { isTooLong, names } from '../../names.ts';
import { apiError } from './errors.ts';
import type { Decoded } from './json.ts';
import { isAssetName, ownMetadata } from './names.ts';
import { priorityConfig, type PriorityConfig } from './priority-groups.ts';
import type { StreamConfig } from './stream-config.ts';
import { checkPedanticLimits, checkPedanticSigns } from './stream-problems.ts';
import { durationText, nanosPerMs, timeMs, timeText } from './time.ts';

/** A consumer's configuration in a request (nats-server's ConsumerConfig). */
export const consumerConfigShape = {
  durable_name: 'string',
  name: 'string',
  description: 'string',
  deliver_policy: ['all', 'last', 'new', 'by_start_sequence', 'by_start_time', 'last_per_subject'],
  opt_start_seq: 'unsigned',
  opt_start_time: 'time',
  ack_policy: ['none', 'all', 'explicit', 'flow_control'],
  ack_wait: 'nanos',
  max_deliver: 'integer',
  backoff: 'integers',
  filter_subject: 'string',
  filter_subjects: 'strings',
  replay_policy: ['instant', 'original'],
  rate_limit_bps: 'unsigned',
  sample_freq: 'string',
  max_waiting: 'integer',
  max_ack_pending: 'integer',
  flow_control: 'boolean',
  headers_only: 'boolean',
  max_batch: 'integer',
  max_expires: 'nanos',
  max_bytes: 'integer',
  deliver_subject: 'string',
  deliver_group: 'string',
  idle_heartbeat: 'nanos',
  inactive_threshold: 'nanos',
  num_replicas: 'integer',
  mem_storage: 'boolean',
  direct: 'boolean',
  sourcing: 'boolean',
  metadata: 'texts',
  pause_until: 'time',
  priority_groups: 'strings',
  priority_policy: ['', 'none', 'overflow', 'pinned_client', 'prioritized'],
  priority_timeout: 'nanos',
} as const;

export type ConsumerConfigRequest = Decoded<typeof consumerConfigShape>;

/** A consumer's complete configuration. Durations in nanoseconds. */
export interface ConsumerConfig extends PriorityConfig {
  readonly durable_name?: string;
  readonly name?: string;
  readonly description?: string;
  readonly deliver_policy:
    | 'all'
    | 'last'
    | 'new'
    | 'by_start_sequence'
    | 'by_start_time'
    | 'last_per_subject';
  readonly opt_start_seq?: number;
  readonly opt_start_time?: string;
  readonly ack_policy: 'none' | 'all' | 'explicit';
  readonly ack_wait?: number;
  readonly max_deliver: number;
  readonly backoff?: readonly number[];
  readonly filter_subject?: string;
  readonly filter_subjects?: readonly string[];
  readonly replay_policy: 'instant';
  readonly rate_limit_bps?: number;
  readonly sample_freq?: string;
  readonly max_waiting?: number;
  readonly max_ack_pending?: number;
  readonly flow_control?: true;
  readonly headers_only?: true;
  readonly max_batch?: number;
  readonly max_expires?: number;
  readonly max_bytes?: number;
  readonly deliver_subject?: string;
  readonly deliver_group?: string;
  readonly idle_heartbeat?: number;
  readonly inactive_threshold?: number;
  readonly num_replicas: number;
  readonly mem_storage?: true;
  readonly direct?: true;
  readonly metadata?: Readonly<globalThis.Record<string, string>>;
  readonly pause_until?: string;
}

/** Bounded because each filter is compared with every other. */
const filtersMax = 1024;
/** nats-server has no such limit; here each value is checked, stored and returned. */
const backoffMax = 10_000;
const descriptionBytesMax = 4096;
const metadataBytesMax = 128 * 1024;
export const ackWaitNanosDefault = 30e9;
const maxAckPendingDefault = 1000;
export const maxWaitingDefault = 512;
const ephemeralInactiveNanosDefault = 5e9;
const shortestHeartbeatNanos = 100 * nanosPerMs;

const pedanticSigns = [
  'max_batch',
  'max_expires',
  'max_bytes',
  'idle_heartbeat',
  'inactive_threshold',
  'priority_timeout',
];

/**
 * Fills in defaults and checks every field, in nats-server's order. Throws the API error that names the
 * problem.
 */
export function consumerConfig(
  request: ConsumerConfigRequest,
  stream: StreamConfig,
  { pedantic = false }: { readonly pedantic?: boolean } = {},
): ConsumerConfig {
  if (request.backoff && request.backoff.length > backoffMax)
    throw apiError('consumerCreate', `consumer can not have more than ${backoffMax} backoff values`);
  if (pedantic) checkPedantic(request, stream);
  const push = Boolean(request.deliver_subject);
  const ackPolicy = request.ack_policy ?? 'none';
  if (ackPolicy === 'flow_control')
    throw apiError('consumerCreate', 'the flow_control ack policy is not supported');
  const acked = ackPolicy !== 'none';
  const backoff = request.backoff?.length ? request.backoff : undefined;
  const ackWait = backoff?.[0] ?? (request.ack_wait || (acked ? ackWaitNanosDefault : 0));
  const maxDeliver = !request.max_deliver || request.max_deliver < -1 ? -1 : request.max_deliver;
  const maxWaiting = Math.max(0, request.max_waiting ?? 0) || (push ? 0 : maxWaitingDefault);
  const limits = stream.consumer_limits;
  const maxAckPending =
    Math.max(-1, request.max_ack_pending ?? 0) ||
    limits.max_ack_pending ||
    (acked ? maxAckPendingDefault : 0);
  const inactiveThreshold = Math.max(0, request.inactive_threshold ?? 0) || limits.inactive_threshold || 0;
  const heartbeat = Math.max(0, request.idle_heartbeat ?? 0);

  checkNames(request);
  checkReplicas(request.num_replicas ?? 0, stream);
  if (request.replay_policy === 'original') throw apiError('replayPolicyInvalid');
  if (backoff?.some((nanos) => nanos < 0)) throw apiError('backoffNegative');
  if (ackWait < 0) throw apiError('ackWaitNegative');
  if (backoff && maxDeliver !== -1 && backoff.length > maxDeliver) throw apiError('maxDeliverBackoff');
  if (push) {
    checkDeliverSubject(request.deliver_subject!, stream);
    if (maxWaiting !== 0) throw apiError('pushMaxWaiting');
    if (maxAckPending > 0 && !acked) throw apiError('maxPendingAckPolicyRequired');
    if (heartbeat > 0 && heartbeat < shortestHeartbeatNanos) throw apiError('smallHeartbeat');
  } else {
    if (!acked && stream.retention === 'workqueue') throw apiError('pullRequiresAck');
    if (request.rate_limit_bps) throw apiError('pullWithRateLimit');
    if (heartbeat > 0) throw apiError('heartbeatRequiresPush');
    if (request.flow_control) throw apiError('flowControlRequiresPush');
    if (request.max_expires && request.max_expires > 0 && request.max_expires < nanosPerMs) {
      throw apiError('maxRequestExpiresTooSmall');
    }
  }
  if (limits.max_ack_pending && maxAckPending > limits.max_ack_pending) {
    throw apiError('maxPendingAckExcess', limits.max_ack_pending);
  }
  if (limits.inactive_threshold && inactiveThreshold > limits.inactive_threshold) {
    throw apiError('inactiveThresholdExcess', durationText(limits.inactive_threshold));
  }
  if (request.direct) {
    if (!push) throw apiError('directRequiresPush');
    if (request.durable_name) throw apiError('directRequiresEphemeral');
  }
  checkFilters(request);
  checkStart(request);
  if (request.sample_freq && !/^\d+%?$/.test(request.sample_freq)) {
    throw apiError('invalidSampling', `"${request.sample_freq}" is not a percentage`);
  }
  if (request.flow_control && heartbeat === 0) throw apiError('flowControlNeedsHeartbeats');
  if (request.durable_name && request.name && request.name !== request.durable_name) {
    throw apiError('durableAndNameMismatch');
  }
  const metadata = ownMetadata(request.metadata);
  checkMetadata(request.metadata);
  const priority = priorityConfig(request);

  const inactive = inactiveThreshold || (request.durable_name ? 0 : ephemeralInactiveNanosDefault);
  const name = request.durable_name || request.name;
  const pauseUntil = timeMs(request.pause_until);
  return {
    ...(request.durable_name ? { durable_name: request.durable_name } : {}),
    ...(name ? { name } : {}),
    ...(request.description ? { description: request.description } : {}),
    deliver_policy: request.deliver_policy ?? 'all',
    ...(request.opt_start_seq ? { opt_start_seq: request.opt_start_seq } : {}),
    ...(request.opt_start_time ? { opt_start_time: request.opt_start_time } : {}),
    ack_policy: ackPolicy,
    ...(ackWait > 0 ? { ack_wait: ackWait } : {}),
    max_deliver: maxDeliver,
    ...(backoff ? { backoff } : {}),
    ...(request.filter_subject ? { filter_subject: request.filter_subject } : {}),
    ...(request.filter_subjects?.length ? { filter_subjects: request.filter_subjects } : {}),
    replay_policy: 'instant',
    ...positive('rate_limit_bps', request.rate_limit_bps),
    ...(request.sample_freq ? { sample_freq: request.sample_freq } : {}),
    ...positive('max_waiting', maxWaiting),
    ...(maxAckPending === 0 ? {} : { max_ack_pending: maxAckPending }),
    ...(request.flow_control ? { flow_control: true } : {}),
    ...(request.headers_only ? { headers_only: true } : {}),
    ...positive('max_batch', request.max_batch),
    ...positive('max_expires', request.max_expires),
    ...positive('max_bytes', request.max_bytes),
    ...(push ? { deliver_subject: request.deliver_subject! } : {}),
    ...(request.deliver_group ? { deliver_group: request.deliver_group } : {}),
    ...positive('idle_heartbeat', heartbeat),
    ...positive('inactive_threshold', inactive),
    num_replicas: request.num_replicas ?? 0,
    ...(request.mem_storage ? { mem_storage: true } : {}),
    ...(request.direct ? { direct: true } : {}),
    ...(metadata ? { metadata } : {}),
    ...(pauseUntil === undefined ? {} : { pause_until: timeText(pauseUntil) }),
    ...priority,
  };
}

/** Checks the members that a pedantic request must set itself, in nats-server's order. Throws 10157. */
function checkPedantic(request: ConsumerConfigRequest, stream: StreamConfig): void {
  const { max_ack_pending: maxAckPending, inactive_threshold: inactive } = stream.consumer_limits;
  const demand = (problem: string): Error => apiError('pedantic', problem);
  checkPedanticLimits(request, ['max_deliver']);
  checkPedanticSigns(request, ['max_waiting']);
  checkPedanticLimits(request, ['max_ack_pending']);
  checkPedanticSigns(request, pedanticSigns);
  const [first] = request.backoff ?? [];
  if (first !== undefined && (request.ack_wait || impliedAckWait(request)) !== first) {
    throw demand('first backoff value has to equal batch AckWait');
  }
  if (!request.max_ack_pending && maxAckPending)
    throw demand("max_ack_pending must be set if it's configured in stream limits");
  if (!request.inactive_threshold && inactive)
    throw demand("inactive_threshold must be set if it's configured in stream limits");
}

function impliedAckWait({ ack_policy: policy = 'none' }: ConsumerConfigRequest): number {
  return policy === 'explicit' || policy === 'all' ? ackWaitNanosDefault : 0;
}

/** Checks an update of `old`. Throws 10012 with the reason if it is not allowed. */
export function checkConsumerUpdate(old: ConsumerConfig, config: ConsumerConfig): void {
  const fixed = [
    ['deliver_policy', 'deliver policy'],
    ['mem_storage', 'storage type'],
    ['direct', 'direct'],
    ['opt_start_seq', 'start sequence'],
    ['opt_start_time', 'start time'],
    ['ack_policy', 'ack policy'],
    ['idle_heartbeat', 'heart beats'],
    ['flow_control', 'flow control'],
    ['max_waiting', 'max waiting'],
  ] as const;
  const sameStartTime = timeMs(old.opt_start_time) === timeMs(config.opt_start_time);
  for (const [member, what] of fixed) {
    const same = member === 'opt_start_time' ? sameStartTime : old[member] === config[member];
    if (!same) {
      if (member === 'max_waiting') checkKind(old, config);
      throw apiError('consumerCreate', `${what} can not be updated`);
    }
  }
  checkKind(old, config);
}

function checkKind(old: ConsumerConfig, config: ConsumerConfig): void {
  if (old.deliver_subject === undefined && config.deliver_subject !== undefined) {
    throw apiError('consumerCreate', 'can not update pull consumer to push based');
  }
  if (old.deliver_subject !== undefined && config.deliver_subject === undefined) {
    throw apiError('consumerCreate', 'can not update push consumer to pull based');
  }
}

function positive<M extends string>(member: M, value: number | undefined): { readonly [K in M]?: number } {
  return (value !== undefined && value > 0 ? { [member]: value } : {}) as { readonly [K in M]?: number };
}

function checkNames({ name, durable_name, description }: ConsumerConfigRequest): void {
  if (name && !isAssetName(name)) {
    throw apiError('streamInvalidConfig', "consumer name can not contain '.', '*', '>', '\\', '/'");
  }
  if (durable_name && !isAssetName(durable_name)) {
    throw apiError('streamInvalidConfig', "consumer durable name can not contain '.', '*', '>', '\\', '/'");
  }
  if (isTooLong(durable_name || name || '', names.nats.group))
    throw apiError('consumerNameTooLong', names.nats.group.longest.count);
  if (Buffer.byteLength(description ?? '') > descriptionBytesMax) {
    throw apiError('consumerDescriptionTooLong', descriptionBytesMax);
  }
}

function checkReplicas(replicas: number, stream: StreamConfig): void {
  if (replicas > stream.num_replicas) throw apiError('consumerReplicasExceedStream');
  if (replicas < 0) throw apiError('replicasNegative');
}

function checkDeliverSubject(subject: string, stream: StreamConfig): void {
  if (isSubscribeSubject(subject) && hasWildcards(subject)) throw apiError('deliverToWildcards');
  if (!isSubscribeSubject(subject) || isReserved(subject)) throw apiError('invalidDeliverSubject');
  if (stream.subjects.some((pattern) => subjectMatches(pattern, subject))) throw apiError('deliverCycle');
}

/** Whether the server itself answers this subject: deliveries to it would be requests. */
function isReserved(subject: string): boolean {
  return /^\$JS\.(?:(?:API|ACK|FC|SNAPSHOT|EVENT)|[^.]*\.API)(?:\.|$)/.test(subject);
}

function checkFilters({ filter_subject, filter_subjects }: ConsumerConfigRequest): void {
  if (filter_subject && filter_subjects?.length) throw apiError('duplicateFilterSubjects');
  if (filter_subjects?.includes('')) throw apiError('emptyFilter');
  const filters = filter_subject ? [filter_subject] : (filter_subjects ?? []);
  if (filters.length > filtersMax) {
    throw apiError('consumerCreate', `consumer can not have more than ${filtersMax} subject filters`);
  }
  for (const [index, filter] of filters.entries()) {
    if (!isSubscribeSubject(filter)) throw apiError('streamInvalidConfig', 'invalid subject');
    for (const [otherIndex, other] of filters.entries()) {
      if (index !== otherIndex && subjectCovers(other, filter)) throw apiError('overlappingFilters');
    }
  }
}

function checkStart(request: ConsumerConfigRequest): void {
  const policy = request.deliver_policy ?? 'all';
  const words = policy.replaceAll('_', ' ');
  const problem = (rest: string): Error =>
    apiError('invalidPolicy', `consumer delivery policy is deliver ${words}, but optional ${rest}`);
  if (policy === 'by_start_sequence') {
    if (!request.opt_start_seq) throw problem('start sequence is not set');
    if (request.opt_start_time) throw problem('start time is also set');
    return;
  }
  if (policy === 'by_start_time') {
    if (!request.opt_start_time) throw problem('start time is not set');
    if (request.opt_start_seq) throw problem('start start sequence is also set');
    return;
  }
  if (request.opt_start_seq) throw problem('start sequence is also set');
  if (request.opt_start_time) throw problem('start time is also set');
  if (policy === 'last_per_subject' && !request.filter_subject && !request.filter_subjects?.length) {
    throw problem('filter subject is not set');
  }
}

function checkMetadata(metadata: ConsumerConfigRequest['metadata']): void {
  let bytes = 0;
  for (const [key, text] of Object.entries(metadata ?? {})) bytes += key.length + text.length;
  if (bytes > metadataBytesMax) throw apiError('consumerMetadataLength', `${metadataBytesMax / 1024}KB`);
}
