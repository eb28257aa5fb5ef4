import { BoxError, checks, headerList, type Checks, type HeadersInit } from '../embedded/values.ts';
import type { Clock, Random } from '../util/index.ts';
import type { OutgoingMessage } from './driver.ts';
import type { Feature } from './features.ts';

/** Options of a message to publish. */
export interface MessageOptions {
  /**
   * The identity of the message, for its consumers: an inbox remembers it. Default: the dedupe id, or a
   * random one.
   */
  readonly id?: string;
  /** The key keeps related messages in order, and is matched by the filters of groups. */
  readonly key?: string;
  readonly headers?: HeadersInit;
  /**
   * A second message with the same id is not stored again, for as long as the target remembers ids. It is the
   * `id` of the message, too.
   */
  readonly dedupeId?: string;
  /** The message is not visible before so many milliseconds are over, or before `deliverAtMs`. */
  readonly delayMs?: number;
  readonly deliverAtMs?: number;
  /** The message expires so many milliseconds after its publish. */
  readonly ttlMs?: number;
  /**
   * Messages with a higher priority are delivered first. From 0 to one less than the topic's `priorities`.
   */
  readonly priority?: number;
}

export interface PublishOptions extends MessageOptions {
  /** Cancels the publish while it waits for its turn. */
  readonly signal?: AbortSignal;
}

/** A message of a batch: its value and options. */
export interface BatchMessage<In> extends MessageOptions {
  readonly value: In;
}

/** Ten years. A longer delay is taken for a mistake. */
const delayMsMax = 10 * 365 * 86_400_000;

const idCheck: checks.Check = (value) =>
  typeof value === 'string' && /^[!-~]{1,200}$/.test(value)
    ? undefined
    : 'a text of 1 to 200 visible ASCII characters';

const messageChecks: Checks<MessageOptions> = {
  id: idCheck,
  key: checks.text,
  headers: (value) => (typeof value === 'object' && value !== null ? undefined : 'an object or pairs'),
  dedupeId: idCheck,
  delayMs: checks.milliseconds(0, delayMsMax),
  deliverAtMs: checks.time,
  ttlMs: checks.milliseconds(1, delayMsMax),
  priority: checks.wholeNumber(),
};

export const publishChecks: Checks<PublishOptions> = { ...messageChecks, signal: checks.abortSignal };
export const batchMessageChecks: Checks<BatchMessage<unknown>> = { ...messageChecks, value: () => undefined };

/** The features that a message asks for. */
export function* messageFeatures(options: MessageOptions): Generator<Feature, void, void> {
  if (options.key !== undefined) yield 'keys';
  if (options.dedupeId !== undefined) yield 'dedupe';
  if (options.delayMs !== undefined || options.deliverAtMs !== undefined) yield 'delays';
  if (options.ttlMs !== undefined) yield 'ttl';
  if (options.priority !== undefined && options.priority > 0) yield 'priorities';
}

export function outgoing(
  clock: Clock,
  ids: MessageIds,
  value: Uint8Array | string,
  options: MessageOptions,
): OutgoingMessage {
  return {
    id: options.dedupeId ?? options.id ?? ids.next(),
    dedupes: options.dedupeId !== undefined,
    key: options.key,
    headers: options.headers === undefined ? [] : headerList(options.headers),
    value,
    deliverAtMs: deliveryTime(clock, options),
    ttlMs: options.ttlMs,
    priority: options.priority,
  };
}

function deliveryTime(clock: Clock, { delayMs, deliverAtMs }: MessageOptions): number | undefined {
  if (delayMs === undefined) return deliverAtMs;
  if (deliverAtMs === undefined) return Math.ceil(clock.now() + delayMs);
  throw new BoxError('option-invalid', 'publish() takes delayMs or deliverAtMs, not both.');
}

/** Random ids for messages: 16 random characters for a client, and a number. */
export class MessageIds {
  readonly #prefix: string;
  #last = 0;

  constructor(random: Random) {
    this.#prefix = Buffer.from(random.bytes(12)).toString('base64url');
  }

  next(): string {
    this.#last += 1;
    return `${this.#prefix}.${this.#last.toString(36)}`;
  }
}
