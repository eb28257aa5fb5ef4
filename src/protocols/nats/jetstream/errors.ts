import { BrokerError, type BrokerErrorCode } from '../../../broker/index.ts';
import { noteRefusal } from '../../refusal-counts.ts';

/**
 * The errors of the JetStream API that this broker returns: name → [err_code, HTTP-like code, description].
 * Clients match `err_code`; the descriptions are those of nats-server. `{}` is replaced by the detail.
 */
const definitions = {
  badRequest: [10003, 400, 'bad request'],
  clusterRequired: [10010, 503, 'JetStream clustering support required'],
  consumerCreate: [10012, 500, '{}'],
  consumerNameExists: [10013, 400, 'consumer name already in use'],
  consumerNotFound: [10014, 404, 'consumer not found'],
  durableNameNotInSubject: [10016, 400, 'consumer expected to be durable but no durable name set in subject'],
  durableNameNotMatchSubject: [10017, 400, 'consumer name in subject does not match durable name in request'],
  durableNameNotSet: [10018, 400, 'consumer expected to be durable but a durable name was not set'],
  ephemeralWithDurableName: [
    10020,
    400,
    'consumer expected to be ephemeral but a durable name was set in request',
  ],
  insufficientResources: [10023, 503, 'insufficient resources'],
  invalidJson: [10025, 400, 'invalid JSON: {}'],
  maximumStreams: [10027, 400, 'maximum number of streams reached'],
  maximumConsumers: [10026, 400, 'maximum consumers limit reached'],
  memoryResourcesExceeded: [10028, 500, 'insufficient memory resources available'],
  mirrorWithSubjects: [10034, 400, 'stream mirrors can not contain subjects'],
  noMessageFound: [10037, 404, 'no message found'],
  notEmptyRequest: [10038, 400, 'expected an empty request payload'],
  sequenceNotFound: [10043, 400, 'sequence {} not found'],
  storageResourcesExceeded: [10047, 500, 'insufficient storage resources available'],
  streamCreate: [10049, 500, '{}'],
  streamDelete: [10050, 500, '{}'],
  streamGeneral: [10051, 500, '{}'],
  streamInvalidConfig: [10052, 500, '{}'],
  messageExceedsMaximum: [10054, 400, 'message size exceeds maximum allowed'],
  streamMismatch: [10056, 400, 'stream name in subject does not match request'],
  messageDeleteFailed: [10057, 500, '{}'],
  streamNameExists: [10058, 400, 'stream name already in use with a different configuration'],
  streamNotFound: [10059, 404, 'stream not found'],
  streamNotMatch: [10060, 400, 'expected stream does not match'],
  streamRestore: [10062, 500, 'restore failed: {}'],
  streamSnapshot: [10064, 500, 'snapshot failed: {}'],
  subjectsOverlap: [10065, 400, 'subjects overlap with an existing stream'],
  streamUpdate: [10069, 500, '{}'],
  wrongLastMsgId: [10070, 400, 'wrong last msg ID: {}'],
  wrongLastSequence: [10071, 400, 'wrong last sequence: {}'],
  replicasNotSupported: [10074, 500, 'replicas > 1 not supported in non-clustered mode'],
  storeFailed: [10077, 503, '{}'],
  deliverToWildcards: [10079, 400, 'consumer deliver subject has wildcards'],
  pushMaxWaiting: [10080, 400, 'consumer in push mode can not set max waiting'],
  deliverCycle: [10081, 400, 'consumer deliver subject forms a cycle'],
  maxPendingAckPolicyRequired: [10082, 400, 'consumer requires ack policy for max ack pending'],
  smallHeartbeat: [10083, 400, 'consumer idle heartbeat needs to be >= 100ms'],
  pullRequiresAck: [10084, 400, 'consumer in pull mode requires explicit ack policy on workqueue stream'],
  pullWithRateLimit: [10086, 400, 'consumer in pull mode can not have rate limit set'],
  heartbeatRequiresPush: [10088, 400, 'consumer idle heartbeat requires a push based consumer'],
  flowControlRequiresPush: [10089, 400, 'consumer flow control requires a push based consumer'],
  directRequiresPush: [10090, 400, 'consumer direct requires a push based consumer'],
  directRequiresEphemeral: [10091, 400, 'consumer direct requires an ephemeral consumer'],
  invalidPolicy: [10094, 400, '{}'],
  invalidSampling: [10095, 400, 'failed to parse consumer sampling configuration: {}'],
  headerExceedsMaximum: [10097, 400, 'header size exceeds maximum allowed of 64k'],
  workQueueRequiresExplicitAck: [10098, 400, 'workqueue stream requires explicit ack'],
  workQueueMultipleUnfiltered: [
    10099,
    400,
    'multiple non-filtered consumers not allowed on workqueue stream',
  ],
  workQueueConsumerNotUnique: [10100, 400, 'filtered consumer not unique on workqueue stream'],
  workQueueConsumerNotDeliverAll: [10101, 400, 'consumer must be deliver all on workqueue stream'],
  consumerNameTooLong: [10102, 400, 'consumer name is too long, maximum allowed is {}'],
  badDurableName: [10103, 400, "durable name can not contain '.', '*', '>'"],
  consumerStoreFailed: [10104, 500, 'error creating store for consumer: {}'],
  consumerDescriptionTooLong: [10107, 400, 'consumer description is too long, maximum allowed is {}'],
  flowControlNeedsHeartbeats: [10108, 400, 'consumer with flow control also needs heartbeats'],
  streamSealed: [10109, 400, 'invalid operation on sealed stream'],
  purgeFailed: [10110, 500, '{}'],
  rollupFailed: [10111, 500, '{}'],
  invalidDeliverSubject: [10112, 400, 'invalid push consumer deliver subject'],
  maxRequestExpiresTooSmall: [10115, 400, 'consumer max request expires needs to be >= 1ms'],
  maxDeliverBackoff: [10116, 400, 'max deliver is required to be > length of backoff values'],
  maxPendingAckExcess: [10121, 400, 'consumer max ack pending exceeds system limit of {}'],
  consumerReplicasExceedStream: [10126, 400, 'consumer config replica count exceeds parent stream'],
  consumerNamePathSeparators: [10127, 400, 'Consumer name can not contain path separators'],
  streamNamePathSeparators: [10128, 400, 'Stream name can not contain path separators'],
  filterSubjectMismatch: [
    10131,
    400,
    'Consumer create request did not match filtered subject from create subject',
  ],
  durableAndNameMismatch: [10132, 400, 'Consumer Durable and Name have to be equal if both are provided'],
  replicasNegative: [10133, 400, 'replicas count cannot be negative'],
  consumerMetadataLength: [10135, 400, 'consumer metadata exceeds maximum size of {}'],
  duplicateFilterSubjects: [
    10136,
    400,
    'consumer cannot have both FilterSubject and FilterSubjects specified',
  ],
  multipleFiltersNotAllowed: [
    10137,
    400,
    'consumer with multiple subject filters cannot use subject based API',
  ],
  overlappingFilters: [10138, 400, 'consumer subject filters cannot overlap'],
  emptyFilter: [10139, 400, 'consumer filter in FilterSubjects cannot be empty'],
  consumerExists: [10148, 400, 'consumer already exists'],
  consumerDoesNotExist: [10149, 400, 'consumer does not exist'],
  pedantic: [10157, 400, 'pedantic mode: {}'],
  inactiveThresholdExcess: [10153, 400, 'consumer inactive threshold exceeds system limit of {}'],
  priorityPolicyWithoutGroup: [
    10159,
    400,
    'Setting PriorityPolicy requires at least one PriorityGroup to be set',
  ],
  emptyGroupName: [10161, 400, 'Group name cannot be an empty string'],
  invalidGroupName: [
    10162,
    400,
    'Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters',
  ],
  pushWithPriorityGroup: [10178, 400, 'priority groups can not be used with push consumers'],
  invalidPriorityGroup: [10160, 400, 'Provided priority group does not exist for this consumer'],
  messageTtlInvalid: [10165, 400, 'invalid per-message TTL'],
  messageTtlDisabled: [10166, 400, 'per-message TTL is disabled'],
  tooManyRequests: [10167, 429, 'too many requests'],
  messageIncrDisabled: [10168, 400, 'message counters is disabled'],
  messageIncrMissing: [10169, 400, 'message counter increment is missing'],
  messageIncrInvalid: [10171, 400, 'message counter increment is invalid'],
  /** nats-server has permissions by subject only, and no such error. */
  notAllowed: [10403, 403, 'permissions violation: the user may not {}'],
  atomicPublishDisabled: [10174, 400, 'atomic publish is disabled'],
  replayPolicyInvalid: [10182, 400, 'consumer replay policy invalid'],
  ackWaitNegative: [10183, 400, 'consumer ack wait needs to be positive'],
  backoffNegative: [10184, 400, 'consumer backoff needs to be positive'],
  requiredApiLevel: [10185, 412, 'JetStream minimum api level required'],
  schedulesDisabled: [10188, 400, 'message schedules is disabled'],
  schedulePatternInvalid: [10189, 400, 'message schedules pattern is invalid'],
  scheduleTargetInvalid: [10190, 400, 'message schedules target is invalid'],
  scheduleTtlInvalid: [10191, 400, 'message schedules invalid per-message TTL'],
  scheduleRollupInvalid: [10192, 400, 'message schedules invalid rollup'],
  scheduleSourceInvalid: [10203, 400, 'message schedules source is invalid'],
  scheduleTimeZoneInvalid: [10223, 400, 'message schedules time zone is invalid'],
  expectedLastSubjectSequenceInvalid: [10193, 400, 'missing sequence for expected last sequence per subject'],
  priorityGroupWithoutPolicy: [10196, 400, 'consumer can not have priority groups when policy is none'],
  pinnedTtlWithoutPolicy: [10197, 400, 'PinnedTTL cannot be set when PriorityPolicy is none'],
  invalidReset: [10204, 400, 'invalid reset: {}'],
  batchPublishDisabled: [10205, 400, 'batch publish is disabled'],
  schedulerInvalid: [10212, 400, 'message schedules invalid scheduler'],
  sourceHeaderNotAllowed: [10227, 400, 'message stream source header is not allowed'],
} as const;

export type ApiErrorName = keyof typeof definitions;

/** An error in an API answer or a publish answer. */
export interface ApiErrorBody {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

/** A refusal of the JetStream API: thrown by handlers, and written by the dispatcher. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly body: ApiErrorBody;

  constructor(body: ApiErrorBody) {
    super(body.description);
    this.body = body;
  }
}

export function apiErrorBody(name: ApiErrorName, detail: string | number = ''): ApiErrorBody {
  const [errCode, code, description] = definitions[name];
  return { code, err_code: errCode, description: description.replace('{}', () => String(detail)) };
}

export function apiError(name: ApiErrorName, detail?: string | number): ApiError {
  return new ApiError(apiErrorBody(name, detail));
}

const consumerBudgets: ReadonlySet<string> = new Set(['groups', 'positions', 'consumers']);

/** The error for a budget of the broker that is used up: nats-server's, if it has such a limit. */
function limitBody({ message, details }: BrokerError): ApiErrorBody {
  if (details.budget === 'topics') return apiErrorBody('maximumStreams');
  if (details.budget !== undefined && consumerBudgets.has(details.budget))
    return apiErrorBody('maximumConsumers');
  return apiErrorBody('storeFailed', message);
}

/** The errors for publishes and API calls that the broker refuses. Offsets become sequences. */
const bodies: { readonly [C in BrokerErrorCode]: (error: BrokerError) => ApiErrorBody } = {
  'topic-not-found': () => apiErrorBody('streamNotFound'),
  'topic-exists': () => apiErrorBody('streamNameExists'),
  'topic-config-invalid': ({ message }) => apiErrorBody('streamInvalidConfig', message),
  'subjects-overlap': () => apiErrorBody('subjectsOverlap'),
  'group-not-found': () => apiErrorBody('consumerNotFound'),
  'group-exists': () => apiErrorBody('consumerNameExists'),
  'group-config-invalid': ({ message }) => apiErrorBody('consumerCreate', message),
  'consumer-exclusive': ({ message }) => apiErrorBody('consumerCreate', message),
  'groups-full': () => apiErrorBody('maximumConsumers'),
  'schedule-not-found': ({ message }) => apiErrorBody('storeFailed', message),
  'schedule-config-invalid': () => apiErrorBody('schedulePatternInvalid'),
  'message-too-large': () => apiErrorBody('messageExceedsMaximum'),
  'message-invalid': ({ message }) => apiErrorBody('storeFailed', message),
  'producer-fenced': ({ message }) => apiErrorBody('storeFailed', message),
  'sequence-gap': ({ message }) => apiErrorBody('storeFailed', message),
  'transaction-unknown': ({ message }) => apiErrorBody('storeFailed', message),
  'transaction-state': ({ message }) => apiErrorBody('storeFailed', message),
  'transaction-busy': ({ message }) => apiErrorBody('storeFailed', message),
  'not-in-transaction': ({ message }) => apiErrorBody('storeFailed', message),
  'transaction-too-large': ({ message }) => apiErrorBody('storeFailed', message),
  'transaction-timeout-invalid': ({ message }) => apiErrorBody('storeFailed', message),
  'transactions-full': ({ message }) => apiErrorBody('storeFailed', message),
  'topic-full': () => apiErrorBody('storeFailed', 'maximum messages exceeded'),
  'topic-bytes-full': () => apiErrorBody('storeFailed', 'maximum bytes exceeded'),
  'key-full': () => apiErrorBody('storeFailed', 'maximum messages per subject exceeded'),
  'rate-exceeded': () => apiErrorBody('tooManyRequests'),
  'wrong-last-offset': ({ details }) => apiErrorBody('wrongLastSequence', (details.lastOffset ?? -1) + 1),
  'wrong-last-key-offset': ({ details }) => apiErrorBody('wrongLastSequence', (details.lastOffset ?? -1) + 1),
  'wrong-last-dedupe-id': ({ details }) => apiErrorBody('wrongLastMsgId', details.lastDedupeId ?? ''),
  'offset-not-found': () => apiErrorBody('noMessageFound'),
  'not-allowed': () => apiErrorBody('streamSealed'),
  'limit-reached': limitBody,
  'storage-full': () => apiErrorBody('storageResourcesExceeded'),
  'memory-full': () => apiErrorBody('memoryResourcesExceeded'),
  'storage-failed': ({ message }) => apiErrorBody('storeFailed', message),
  closed: ({ message }) => apiErrorBody('storeFailed', message),
};

/** The error body of any failure. An unexpected failure shows its message, but no internals. */
export function errorBodyOf(error: unknown): ApiErrorBody {
  if (error instanceof ApiError) return error.body;
  if (error instanceof BrokerError) {
    noteRefusal('nats', error);
    return bodies[error.code](error);
  }
  return apiErrorBody('streamGeneral', error instanceof Error ? error.message : String(error));
}
