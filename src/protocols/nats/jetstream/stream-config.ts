import { topicConfig, type Topic, type TopicConfig } from '../../../broker/index.ts';
import { isSubscribeSubject, subjectCovers, subjectsOverlap } from '../../../util/index.ts';
import { isTooLong, names } from '../../names.ts';
import { apiError } from './errors.ts';
import type { Decoded } from './json.ts';
import { expiryMarkerOf } from './message-ttl.ts';
import { assetName, isAssetName, ownMetadata } from './names.ts';
import {
  checkCounter,
  checkFeaturesUpdate,
  checkMarkers,
  checkSchedules,
  streamFeatures,
  type StreamFeatures,
} from './stream-features.ts';
import { checkPedanticLimits, invalidConfig as invalid } from './stream-problems.ts';
import { msOfNanos, nanosOfMs, nanosPerMs } from './time.ts';

/** A stream's configuration in a request (ADR-31 and nats-server's StreamConfig, plus `pedantic`). */
export const streamConfigShape = {
  name: 'string',
  description: 'string',
  subjects: 'strings',
  retention: ['limits', 'interest', 'workqueue'],
  max_consumers: 'integer',
  max_msgs: 'integer',
  max_bytes: 'integer',
  max_age: 'nanos',
  max_msgs_per_subject: 'integer',
  max_msg_size: 'integer',
  discard: ['old', 'new'],
  storage: ['file', 'memory'],
  num_replicas: 'integer',
  no_ack: 'boolean',
  duplicate_window: 'nanos',
  placement: 'any',
  mirror: 'any',
  sources: 'any',
  compression: ['none', 's2'],
  first_seq: 'integer',
  subject_transform: 'any',
  republish: 'any',
  allow_direct: 'boolean',
  mirror_direct: 'boolean',
  discard_new_per_subject: 'boolean',
  sealed: 'boolean',
  deny_delete: 'boolean',
  deny_purge: 'boolean',
  allow_rollup_hdrs: 'boolean',
  consumer_limits: { object: { inactive_threshold: 'nanos', max_ack_pending: 'integer' } },
  allow_msg_ttl: 'boolean',
  subject_delete_marker_ttl: 'nanos',
  allow_msg_counter: 'boolean',
  allow_atomic: 'boolean',
  allow_msg_schedules: 'boolean',
  persist_mode: ['', 'default', 'async'],
  allow_batched: 'boolean',
  metadata: 'texts',
  pedantic: 'boolean',
} as const;

export type StreamConfigRequest = Decoded<typeof streamConfigShape>;

/** A stream's complete configuration: limits that do not apply are -1, as on the wire. */
export interface StreamConfig extends StreamFeatures {
  readonly name: string;
  readonly description?: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'interest' | 'workqueue';
  readonly max_consumers: number;
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly max_msgs_per_subject: number;
  readonly max_msg_size: number;
  readonly discard: 'old' | 'new';
  readonly storage: 'file' | 'memory';
  readonly num_replicas: number;
  readonly no_ack?: true;
  readonly duplicate_window: number;
  readonly placement?: unknown;
  readonly compression: 'none' | 's2';
  readonly allow_direct: boolean;
  readonly mirror_direct: boolean;
  readonly discard_new_per_subject?: true;
  readonly sealed: boolean;
  readonly deny_delete: boolean;
  readonly deny_purge: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly consumer_limits: { readonly inactive_threshold?: number; readonly max_ack_pending?: number };
  readonly persist_mode?: 'async';
  readonly metadata?: Readonly<globalThis.Record<string, string>>;
}

/** Bounded because each subject is compared with every other. */
const subjectsMax = 1024;
const descriptionBytesMax = 4096;
const metadataBytesMax = 128 * 1024;
const pedanticLimits = ['max_msgs', 'max_msgs_per_subject', 'max_bytes', 'max_msg_size', 'max_consumers'];
const duplicateWindowNanosDefault = 120e9;
const shortestAgeNanos = 100 * nanosPerMs;

/**
 * The room in `messageBytesMax` for the key, which `max_msg_size` does not count: the longest control line.
 */
const keyBytesMax = 4096;

/** Members that are not built yet, each with the text of its error. */
const unsupported = [
  ['mirror', 'mirrors are not supported'],
  ['sources', 'sources are not supported'],
  ['first_seq', 'a first sequence is not supported'],
  ['subject_transform', 'subject transforms are not supported'],
  ['republish', 'republish is not supported'],
] as const satisfies readonly (readonly [keyof StreamConfigRequest, string])[];

/**
 * Fills in defaults, normalises limits and checks every field. Throws the API error 10052, or a more specific
 * one.
 */
export function streamConfig(request: StreamConfigRequest): StreamConfig {
  const name = request.name ?? '';
  if (!isAssetName(name))
    throw invalid("stream name is required and can not contain '.', '*', '>', '\\', '/'");
  checkLengths(name, request);
  for (const [member, problem] of unsupported) {
    const value = request[member];
    if (Array.isArray(value) ? value.length > 0 : Boolean(value)) throw invalid(problem);
  }
  const replicas = request.num_replicas ?? 0;
  if (replicas < 0) throw apiError('replicasNegative');
  if (replicas > 5) throw invalid('maximum replicas is 5');
  if (request.pedantic) checkPedanticLimits(request, pedanticLimits);
  const maxAge = request.max_age ?? 0;
  if (maxAge < 0) throw invalid('max age can not be negative');
  if (maxAge !== 0 && maxAge < shortestAgeNanos) throw invalid('max age needs to be >= 100ms');
  const duplicateWindow = duplicateWindowOf(request.duplicate_window ?? 0, maxAge, request.pedantic ?? false);
  if (request.deny_purge && request.allow_rollup_hdrs) throw invalid('roll-ups require the purge permission');
  checkCounter(request);
  const discard = request.discard ?? 'old';
  const perSubject = limitOf(request.max_msgs_per_subject);
  if (request.discard_new_per_subject) {
    if (discard !== 'new') throw invalid('discard new per subject requires discard new policy to be set');
    if (perSubject <= 0) throw invalid('discard new per subject requires max msgs per subject > 0');
  }
  checkMarkers(request);
  checkSchedules(request);
  const storage = request.storage ?? 'file';
  if (request.persist_mode === 'async' && storage !== 'file') {
    throw invalid('async persist mode is only supported on file storage');
  }
  if (request.persist_mode === 'async' && request.allow_atomic) {
    throw invalid('async persist mode is not supported with atomic batch publish');
  }
  const subjects = request.subjects?.length ? request.subjects : [name];
  checkSubjects(subjects, request.no_ack ?? false);
  const placement = placementOf(request.placement);
  const metadata = ownMetadata(request.metadata);
  // A schedule replaces its last message, and a marker those of its subject, whatever the request says of
  // roll-ups and purging.
  const replaces = request.allow_msg_schedules === true || (request.subject_delete_marker_ttl ?? 0) > 0;
  const rollup = replaces || (request.allow_rollup_hdrs ?? false);
  return {
    name,
    ...(request.description ? { description: request.description } : {}),
    subjects,
    retention: request.retention ?? 'limits',
    max_consumers: limitOf(request.max_consumers),
    max_msgs: limitOf(request.max_msgs),
    max_bytes: limitOf(request.max_bytes),
    max_age: maxAge,
    max_msgs_per_subject: perSubject,
    max_msg_size: limitOf(request.max_msg_size),
    discard,
    storage,
    num_replicas: replicas === 0 ? 1 : replicas,
    ...(request.no_ack ? { no_ack: true } : {}),
    duplicate_window: duplicateWindow,
    ...(placement === undefined ? {} : { placement }),
    compression: request.compression ?? 'none',
    allow_direct: request.allow_direct ?? false,
    mirror_direct: false,
    ...(request.discard_new_per_subject ? { discard_new_per_subject: true } : {}),
    sealed: request.sealed ?? false,
    deny_delete: request.deny_delete ?? false,
    deny_purge: !replaces && (request.deny_purge ?? false),
    allow_rollup_hdrs: rollup,
    consumer_limits: request.consumer_limits ?? {},
    ...streamFeatures(request),
    ...(request.persist_mode === 'async' ? { persist_mode: 'async' } : {}),
    ...(metadata ? { metadata } : {}),
  };
}

/** Checks an update of `old`, and applies the consequences of sealing. Throws 10052. */
export function updatedStreamConfig(old: StreamConfig, config: StreamConfig): StreamConfig {
  const change = (what: string): Error => invalid(`stream configuration update can not ${what}`);
  if (config.num_replicas > 1) throw apiError('replicasNotSupported');
  if (config.storage !== old.storage) throw change('change storage type');
  if (config.retention !== old.retention && [config.retention, old.retention].includes('workqueue')) {
    throw change('change retention policy to/from workqueue');
  }
  if (old.sealed && !config.sealed) throw change('unseal a sealed stream');
  if (old.deny_delete && !config.deny_delete) throw change('cancel deny message deletes');
  if (old.deny_purge && !config.deny_purge) throw change('cancel deny purge');
  checkFeaturesUpdate(old, config);
  if (old.persist_mode !== config.persist_mode) throw change('change persist mode');
  if (!config.sealed) return config;
  return {
    ...config,
    max_age: 0,
    discard: 'new',
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
  };
}

/** The metadata member with a stream's levels of priority. */
const prioritiesMetadata = 'pillarbox.priorities';

function prioritiesOf({ metadata }: StreamConfig, base: TopicConfig | undefined): number | undefined {
  const text = metadata?.[prioritiesMetadata];
  if (text === undefined) return base?.priorities;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw invalid(`metadata ${prioritiesMetadata}: "${text}" is not a number of levels`);
}

/**
 * The topic's configuration for a stream. `attributes.nats` keeps the members that the broker does not have.
 */
export function topicConfigOf(config: StreamConfig, base?: TopicConfig): TopicConfig {
  const limit = (value: number): number | undefined => (value > 0 ? value : undefined);
  const marker = expiryMarkerOf(config);
  return topicConfig({
    ...base,
    name: base?.name ?? config.name,
    subjects: config.subjects,
    durability: config.storage === 'memory' ? 'memory' : 'disk',
    retention: config.retention === 'workqueue' ? 'queue' : config.retention,
    messagesMax: limit(config.max_msgs),
    bytesMax: limit(config.max_bytes),
    ageMsMax: limit(msOfNanos(config.max_age)),
    messagesPerKeyMax: limit(config.max_msgs_per_subject),
    messageBytesMax: config.max_msg_size > 0 ? config.max_msg_size + keyBytesMax : undefined,
    groupsMax: limit(config.max_consumers),
    overflow: config.discard === 'new' ? 'reject' : 'drop-oldest',
    overflowPerKey: config.discard_new_per_subject ? 'reject' : 'drop-oldest',
    dedupeWindowMs: msOfNanos(config.duplicate_window),
    // A topic of another protocol keeps the state of keys once its first limit per subject needs it.
    keyState: base === undefined || base.keyState || config.max_msgs_per_subject > 0 || marker !== undefined,
    priorities: prioritiesOf(config, base),
    ageFrom: base?.ageFrom,
    expiryMarker: marker,
    sealed: config.sealed,
    attributes: { ...base?.attributes, nats: config },
  } as Parameters<typeof topicConfig>[0]);
}

/**
 * The stream configuration that a topic shows to NATS clients, even if another protocol created the topic.
 * The members that the broker has come from the topic. The others come from `attributes.nats` or, for a topic
 * of another protocol, from the defaults of NATS.
 */
export function streamConfigOf(topic: Topic): StreamConfig {
  const core = topic.config;
  const given = core.attributes['nats'] as StreamConfig | undefined;
  const name = assetName(core.name);
  return {
    ...(given ?? foreignDefaults),
    name,
    subjects: core.subjects.length > 0 ? core.subjects : [name],
    retention: core.retention === 'queue' ? 'workqueue' : core.retention,
    max_consumers: core.groupsMax ?? -1,
    max_msgs: core.messagesMax ?? -1,
    max_bytes: core.bytesMax ?? -1,
    max_age: core.ageMsMax === undefined ? 0 : nanosOfMs(core.ageMsMax, given?.max_age),
    max_msgs_per_subject: core.messagesPerKeyMax ?? (core.compaction ? 1 : -1),
    max_msg_size: given?.max_msg_size ?? core.messageBytesMax ?? -1,
    discard: core.overflow === 'drop-oldest' ? 'old' : 'new',
    storage: core.durability === 'memory' ? 'memory' : 'file',
    duplicate_window: nanosOfMs(core.dedupeWindowMs, given?.duplicate_window),
    sealed: core.sealed,
  };
}

const foreignDefaults = {
  num_replicas: 1,
  compression: 'none',
  allow_direct: true,
  mirror_direct: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  consumer_limits: {},
  allow_msg_ttl: false,
} as const;

function checkLengths(name: string, { description, metadata }: StreamConfigRequest): void {
  if (isTooLong(name, names.nats.topic)) {
    throw invalid(`stream name is too long, maximum allowed is ${names.nats.topic.longest.count}`);
  }
  if (Buffer.byteLength(description ?? '') > descriptionBytesMax) {
    throw invalid(`stream description is too long, maximum allowed is ${descriptionBytesMax}`);
  }
  let metadataBytes = 0;
  for (const [key, text] of Object.entries(metadata ?? {})) metadataBytes += key.length + text.length;
  if (metadataBytes > metadataBytesMax) {
    throw invalid(`stream metadata exceeds maximum size of ${metadataBytesMax} bytes`);
  }
}

/** -1 for every form of "no limit". */
function limitOf(value: number | undefined): number {
  return value === undefined || value < 1 ? -1 : value;
}

function duplicateWindowOf(given: number, maxAge: number, pedantic: boolean): number {
  if (given < 0) throw invalid('duplicates window can not be negative');
  if (given === 0 && pedantic && maxAge !== 0 && maxAge < duplicateWindowNanosDefault)
    throw apiError('pedantic', 'duplicate window cannot be bigger than max age');
  if (given === 0)
    return maxAge !== 0 ? Math.min(maxAge, duplicateWindowNanosDefault) : duplicateWindowNanosDefault;
  if (maxAge !== 0 && given > maxAge) throw invalid('duplicates window can not be larger then max age');
  if (given < shortestAgeNanos) throw invalid('duplicates window needs to be >= 100ms');
  return given;
}

/** An empty placement counts as none. With one server a placement has no effect, so it is only shown. */
function placementOf(placement: unknown): unknown {
  if (typeof placement !== 'object' || placement === null) return undefined;
  if ('preferred' in placement && placement.preferred !== '')
    throw invalid('preferred server not permitted in placement');
  return Object.keys(placement).length === 0 ? undefined : placement;
}

function checkSubjects(subjects: readonly string[], noAck: boolean): void {
  if (subjects.length > subjectsMax) throw invalid(`a stream can not have more than ${subjectsMax} subjects`);
  for (const [index, subject] of subjects.entries()) {
    if (!isSubscribeSubject(subject)) throw invalid('invalid subject');
    if (!noAck) {
      if (subject === '>') throw invalid('capturing all subjects requires no-ack to be true');
      if (['$JS.>', '$JSC.>', '$NRG.>'].some((api) => subjectsOverlap(subject, api))) {
        if (!subjectCovers('$JS.EVENT.>', subject)) {
          throw invalid('subjects that overlap with jetstream api require no-ack to be true');
        }
      }
      if (subjectsOverlap(subject, '$SYS.>') && !subjectCovers('$SYS.ACCOUNT.>', subject)) {
        throw invalid('subjects that overlap with system api require no-ack to be true');
      }
    }
    for (const other of subjects.slice(index + 1)) {
      if (subjectsOverlap(other, subject)) throw invalid(`subject "${subject}" overlaps with "${other}"`);
    }
  }
}
