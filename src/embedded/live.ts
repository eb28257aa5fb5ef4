import { LiveMessage as CoreLiveMessage, publishLive, recordOf } from '../broker/index.ts';
import { encodeBy, json, type AnyCodec, type Codec, type CodecInput, type CodecOutput } from './codec.ts';
import type { BoxContext } from './context.ts';
import { BoxError } from './errors.ts';
import { headerList, type HeadersInit } from './headers.ts';
import { ReplyInbox } from './reply-inbox.ts';
import { errorHeader, type LiveMessage, type Replier } from './live-message.ts';
import { publishOne } from './publish.ts';
import { Responder, type RequestHandler } from './responder.ts';
import { LiveSubscription, subscribeChecks, type LiveSubscribeOptions } from './live-subscription.ts';
import {
  abortSignal,
  callback,
  checkOptions,
  checkValue,
  codecLike,
  milliseconds,
  subject as subjectCheck,
  subjectPattern,
  wholeNumber,
  type Checks,
} from './options.ts';

export interface LivePublishOptions<C extends AnyCodec = Codec<unknown>> {
  /** How the value becomes bytes. Default: JSON. */
  readonly codec?: C;
  readonly headers?: HeadersInit;
  /** The subject on which answers are awaited. */
  readonly reply?: string;
}

export interface RequestOptions<C extends AnyCodec = Codec<unknown>> extends Omit<
  LivePublishOptions<C>,
  'reply'
> {
  /** Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Tells calls with a codec from those with JSON. */
interface WithCodec<C extends AnyCodec> {
  readonly codec: C;
}

/** Options of a call whose values are JSON. */
type WithoutCodec<O> = Omit<O, 'codec'> & { readonly codec?: never };

/** Options of `respond` for values that are JSON. */
export interface PlainRespondOptions<T> extends Omit<RespondOptions, 'onError'> {
  readonly onError?: (error: unknown, message: LiveMessage<T>) => void;
}

export interface RespondOptions<C extends AnyCodec = Codec<unknown>> extends LiveSubscribeOptions<C> {
  /** The most handlers that run at once. Default 64. */
  readonly concurrency?: number;
  /**
   * Called with errors that the handler throws; the requester gets them too. Without it, errors become
   * process warnings.
   */
  readonly onError?: (error: unknown, message: LiveMessage<CodecOutput<C>>) => void;
}

const publishChecks: Checks<LivePublishOptions> = {
  codec: codecLike,
  headers: (value) => (typeof value === 'object' && value !== null ? undefined : 'an object or pairs'),
  reply: subjectCheck,
};
const requestChecks: Checks<RequestOptions> = {
  codec: publishChecks.codec,
  headers: publishChecks.headers,
  timeoutMs: milliseconds(1),
  signal: abortSignal,
};
const respondChecks: Checks<RespondOptions> = {
  ...subscribeChecks,
  concurrency: wholeNumber(1),
  onError: callback,
};

const requestTimeoutMs = 5_000;
const respondConcurrency = 64;

/**
 * Live subjects: messages go to the current subscribers, at most once, and never to disk. Only if a topic
 * captures the subject does it store the message too. NATS clients of the same broker publish and subscribe
 * here as well.
 *
 * In patterns `*` stands for one token and `>` for all that follow. Values are JSON by default, see {@link
 * Codec}.
 *
 * ```ts
 * import { open } from 'pillarbox';
 *
 * await using box = await open();
 * const prices = box.live.subscribe('prices.*');
 * console.log(box.live.publish('prices.tea', { cents: 310 }), 'listener'); // prints: 1 listener
 * for await (const message of prices) {
 *   console.log(message.subject, message.value); // prints: prices.tea { cents: 310 }
 *   break;
 * }
 *
 * await using clerk = box.live.respond('sum', (message) => (message.value as number[]).reduce((a, b) => a + b));
 * const answer = await box.live.request('sum', [1, 2, 3]);
 * console.log(answer.value); // prints: 6
 * ```
 */
export class Live {
  readonly #context: BoxContext;
  readonly #inbox: ReplyInbox;
  /** Sends the answers. */
  readonly #replier: Replier = {
    publish: (subject, value, options) => this.#publish(subject, value, options),
    fail: (subject, headers) => this.#send(subject, '', headers),
  };

  constructor(context: BoxContext) {
    this.#context = context;
    this.#inbox = new ReplyInbox(context);
  }

  /**
   * Sends a message to the current subscribers; returns how many received it. A topic that captures the
   * subject stores it; while the broker is congested it waits for that, as messages of `topic.publish` do.
   */
  publish<C extends AnyCodec>(
    subject: string,
    value: CodecInput<C>,
    options: LivePublishOptions<C> & WithCodec<C>,
  ): number;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- so that publish<Price>(…) is checked
  publish<T = unknown>(subject: string, value: T, options?: WithoutCodec<LivePublishOptions>): number;
  publish(subject: string, value: unknown, options: LivePublishOptions<AnyCodec> = {}): number {
    checkValue('publish()', 'the subject', subject, subjectCheck);
    checkOptions('publish()', options, publishChecks);
    return this.#publish(subject, value, options);
  }

  /** Messages of a subject or pattern, for a loop. Members of the same `queue` share them. */
  subscribe<C extends AnyCodec>(
    pattern: string,
    options: LiveSubscribeOptions<C> & WithCodec<C>,
  ): LiveSubscription<CodecOutput<C>>;
  subscribe<T = unknown>(pattern: string, options?: WithoutCodec<LiveSubscribeOptions>): LiveSubscription<T>;
  subscribe(pattern: string, options: LiveSubscribeOptions<AnyCodec> = {}): LiveSubscription<unknown> {
    checkValue('subscribe()', 'the pattern', pattern, subjectPattern);
    checkOptions('subscribe()', options, subscribeChecks);
    return new LiveSubscription<unknown>(this.#context, this.#replier, pattern, options);
  }

  /**
   * Publishes a message and resolves to the first answer. `request<number>(…)` gives its value a type, which
   * is not checked.
   */
  request<C extends AnyCodec>(
    subject: string,
    value: CodecInput<C>,
    options: RequestOptions<C> & WithCodec<C>,
  ): Promise<LiveMessage<CodecOutput<C>>>;
  request<T = unknown>(
    subject: string,
    value: unknown,
    options?: WithoutCodec<RequestOptions>,
  ): Promise<LiveMessage<T>>;
  async request(
    subject: string,
    value: unknown,
    options: RequestOptions<AnyCodec> = {},
  ): Promise<LiveMessage<unknown>> {
    checkValue('request()', 'the subject', subject, subjectCheck);
    checkOptions('request()', options, requestChecks);
    const { timeoutMs = requestTimeoutMs, signal, ...publishOptions } = options;
    signal?.throwIfAborted();
    const codec: AnyCodec = options.codec ?? json();
    const expected = { subject, timeoutMs, signal };
    const { reply, answer, forget } = this.#inbox.expect<unknown>(this.#replier, codec, expected);
    try {
      const receivers = this.#publish(subject, value, { ...publishOptions, reply });
      if (receivers === 0 && !this.#context.broker.router.topicOf(subject)) {
        throw new BoxError('no-responders', `Nobody listens to "${subject}" now.`);
      }
      const message = await answer;
      const error = message.headers.get(errorHeader);
      if (error !== undefined)
        throw new BoxError('request-failed', `"${subject}" answered with an error: ${error}`);
      return message;
    } finally {
      forget();
    }
  }

  /**
   * Answers requests: the handler's result goes back to the requester. The `signal` in its second argument
   * aborts as soon as the responder or the box starts to close. Closing waits for running handlers, for ten
   * seconds at most.
   */
  respond<C extends AnyCodec>(
    pattern: string,
    handler: RequestHandler<CodecOutput<C>>,
    options: RespondOptions<C> & WithCodec<C>,
  ): Responder;
  respond<T = unknown>(
    pattern: string,
    handler: RequestHandler<T>,
    options?: WithoutCodec<PlainRespondOptions<T>>,
  ): Responder;
  respond(
    pattern: string,
    handler: RequestHandler<never>,
    options: RespondOptions<AnyCodec> | PlainRespondOptions<never> = {},
  ): Responder {
    checkValue('respond()', 'the pattern', pattern, subjectPattern);
    checkValue('respond()', 'the handler', handler, callback);
    checkOptions('respond()', options, respondChecks);
    const { signal, concurrency = respondConcurrency, onError, ...subscribing } = options;
    const requests = new LiveSubscription<never>(this.#context, this.#replier, pattern, subscribing);
    return new Responder(this.#context, this.#replier, requests, handler, {
      concurrency,
      signal,
      onError,
    });
  }

  #publish(subject: string, value: unknown, options: LivePublishOptions<AnyCodec>): number {
    const { codec = json(), headers, reply } = options;
    const encoded = encodeBy(codec, value);
    if (encoded instanceof Promise) throw new TypeError('Live messages need a codec that encodes at once.');
    return this.#send(subject, encoded, headers, reply);
  }

  #send(subject: string, value: Uint8Array | string, headers?: HeadersInit, reply?: string): number {
    const { window, broker } = this.#context;
    const { router } = broker;
    const subjectBytes = Buffer.from(subject, 'utf8');
    const valueBytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    const message = new CoreLiveMessage();
    message.setSubject(subjectBytes, 0, subjectBytes.length);
    if (headers) message.headers = headerList(headers);
    if (reply !== undefined) {
      const replyBytes = Buffer.from(reply, 'utf8');
      message.setReply(replyBytes, 0, replyBytes.length);
    }
    message.setValue(valueBytes, 0, valueBytes.length);
    const { receivers } = publishLive(router, message, (topic) => {
      // A copy: the caller may use its bytes again.
      const record = recordOf({ key: subjectBytes, headers: message.headers, value: valueBytes });
      publishOne(window, topic, { record, options: undefined }, undefined).catch(takenAsItIs);
    });
    return receivers;
  }
}

/** Live messages are stored at most once. A publisher that needs the result publishes to the topic itself. */
const takenAsItIs = (): void => {};
