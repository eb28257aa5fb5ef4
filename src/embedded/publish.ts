import {
  recordOf,
  type PublishOptions as CorePublishOptions,
  type Published,
  type Topic as CoreTopic,
  type UniqueOptions,
} from '../broker/index.ts';
import type { Clock } from '../util/index.ts';
import { BoxError } from './errors.ts';
import { headerList, type HeadersInit } from './headers.ts';
import {
  abortSignal,
  filledText,
  milliseconds,
  text,
  time,
  uniqueKey,
  wholeNumber,
  type Checks,
} from './options.ts';
import type { Outgoing, PublishWindow } from './publish-window.ts';

/** Options of a message to publish. */
export interface MessageOptions {
  /**
   * The key keeps related messages in order, is matched by the filters of groups, and is the subject seen by
   * NATS clients.
   */
  readonly key?: string;
  readonly headers?: HeadersInit;
  /** A second message with the same id within the topic's `dedupeWindowMs` is not stored again. */
  readonly dedupeId?: string;
  /**
   * The message is not visible before so many milliseconds are over; or before `deliverAtMs`, in milliseconds
   * since the epoch. At most ten years.
   */
  readonly delayMs?: number;
  readonly deliverAtMs?: number;
  /**
   * The message expires so many milliseconds after it enters its topic: it is removed, and delivered no more.
   * At most ten years. Default: as the topic's `ageMsMax` says.
   */
  readonly ttlMs?: number;
  /**
   * Messages with a higher priority are delivered first. From 0 (the default) to one less than the topic's
   * `priorities`.
   */
  readonly priority?: number;
  /** Default: by the key's hash; without a key, each partition in turn. */
  readonly partition?: number;
  /** Time of the message, in milliseconds since the epoch. Default: now. */
  readonly timestampMs?: number;
  /**
   * The publish is refused unless this is the partition's last offset; -1: unless nothing was ever published.
   */
  readonly expectedLastOffset?: number;
  /**
   * The publish is refused unless this is the offset of the key's last message; -1: unless the key has none.
   * The topic needs `keyState`.
   */
  readonly expectedLastKeyOffset?: number;
  /**
   * At most one message of this key waits in the topic; `outcome` of the result says what became of this one.
   *
   * ```ts
   * import { open } from 'pillarbox';
   *
   * await using box = await open();
   * const jobs = await box.topic('jobs');
   * const unique = { key: 'rebuild-index', mode: 'ignore' } as const;
   * const first = await jobs.publish('rebuild', { unique });
   * const second = await jobs.publish('rebuild', { unique });
   * console.log(first.outcome, second.outcome); // prints: stored ignored
   * ```
   */
  readonly unique?: UniqueOptions;
}

export interface PublishOptions extends MessageOptions {
  /**
   * Cancels the publish while it waits for its turn. Once handed to the broker, the message is published
   * anyway.
   */
  readonly signal?: AbortSignal;
}

/** A message of a batch: its value and options. */
export interface BatchMessage<In> extends MessageOptions {
  readonly value: In;
}

/** Ten years. A longer delay is taken for a mistake: another unit, or a time instead of a delay. */
export const delayMsMax: number = 10 * 365 * 86_400_000;

const messageChecks: Checks<MessageOptions> = {
  key: text,
  headers: (value) => (typeof value === 'object' && value !== null ? undefined : 'an object or pairs'),
  dedupeId: filledText,
  delayMs: milliseconds(0, delayMsMax),
  deliverAtMs: time,
  ttlMs: milliseconds(1, delayMsMax),
  priority: wholeNumber(),
  partition: wholeNumber(),
  timestampMs: time,
  expectedLastOffset: wholeNumber(-1),
  expectedLastKeyOffset: wholeNumber(-1),
  unique: uniqueKey,
};

export const publishChecks: Checks<PublishOptions> = { ...messageChecks, signal: abortSignal };
export const batchMessageChecks: Checks<BatchMessage<unknown>> = { ...messageChecks, value: () => undefined };

export function outgoing(clock: Clock, value: Uint8Array | string, options: MessageOptions): Outgoing {
  const { key, headers, timestampMs } = options;
  const record = recordOf({
    value,
    ...(key === undefined ? {} : { key }),
    ...(headers === undefined ? {} : { headers: headerList(headers) }),
    ...(timestampMs === undefined ? {} : { timestampMs }),
  });
  return { record, options: coreOptions(clock, options) };
}

/** The broker's options; undefined if there are none, which is the broker's fast path. */
function coreOptions(clock: Clock, options: MessageOptions): CorePublishOptions | undefined {
  const { dedupeId, ttlMs, priority, partition, expectedLastOffset, expectedLastKeyOffset, unique } = options;
  const deliverAtMs = deliveryTime(clock, options);
  const expected = { expectedLastOffset, expectedLastKeyOffset };
  const asked = { dedupeId, deliverAtMs, ttlMs, priority, partition, unique, ...expected };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function deliveryTime(clock: Clock, { delayMs, deliverAtMs }: MessageOptions): number | undefined {
  if (deliverAtMs === undefined) return delayMs === undefined ? undefined : Math.ceil(clock.now() + delayMs);
  if (delayMs !== undefined)
    throw new BoxError('option-invalid', 'publish() takes delayMs or deliverAtMs, not both.');
  const latestMs = clock.now() + delayMsMax;
  if (deliverAtMs <= latestMs) return deliverAtMs;
  throw new BoxError(
    'option-invalid',
    `publish() cannot be called so: deliverAtMs must be a time within ten years, in milliseconds since 1970, not ${deliverAtMs}.`,
  );
}

/** Publishes one message when the window has room; resolves once it is on disk. */
export function publishOne(
  window: PublishWindow,
  topic: CoreTopic,
  message: Outgoing,
  signal: AbortSignal | undefined,
): Promise<Published> {
  return new Promise((resolve, reject) => {
    const begin = (): void => window.publish(topic, message, { resolve, reject });
    window.enter({ count: 1, begin, reject, signal });
  });
}

/**
 * Some messages of a batch were refused; the others are stored. `results` has one entry per message, in
 * order.
 */
export class BatchError extends BoxError {
  override readonly name = 'BatchError';
  readonly results: readonly (Published | Error)[];

  constructor(topic: string, results: readonly (Published | Error)[]) {
    const refusals = results.filter((result) => result instanceof Error);
    const what = `${refusals.length} of ${results.length} messages to topic "${topic}" were refused`;
    super('batch-refused', `${what}, the first because: ${refusals[0]!.message}`, refusals[0]);
    this.results = results;
  }
}

/** Publishes messages in one commit, when the window has room; resolves once they are on disk. */
export function publishTogether(
  window: PublishWindow,
  topic: CoreTopic,
  messages: readonly Outgoing[],
  signal: AbortSignal | undefined,
): Promise<Published[]> {
  return new Promise((resolve, reject) => {
    if (messages.length === 0) return resolve([]);
    const results: (Published | Error)[] = [];
    let open = messages.length;
    const settle = (at: number, result: Published | Error): void => {
      results[at] = result;
      if (--open > 0) return;
      if (results.some((result) => result instanceof Error)) reject(new BatchError(topic.name, results));
      else resolve(results as Published[]);
    };
    const begin = (): void => {
      for (const [at, message] of messages.entries()) {
        window.publish(topic, message, {
          resolve: (published) => settle(at, published),
          reject: (error) => settle(at, error as Error),
        });
      }
    };
    window.enter({ count: messages.length, begin, reject, signal });
  });
}
