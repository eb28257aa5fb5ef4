import { LiveMessage as CoreLiveMessage, recordOf, type PublishListener } from '../broker/index.ts';
import { json, type AnyCodec, type Codec, type CodecInput, type CodecOutput } from './codec.ts';
import type { BoxContext } from './context.ts';
import { BoxError } from './errors.ts';
import { headerList, type HeadersInit } from './headers.ts';
import { Inbox } from './inbox.ts';
import { errorHeader, type LiveMessage } from './live-message.ts';
import { LiveSubscription, type LiveSubscribeOptions } from './live-subscription.ts';
import { warnOfLiveFailure } from './warning.ts';

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

export interface RespondOptions<C extends AnyCodec = Codec<unknown>> extends LiveSubscribeOptions<C> {
  /** Handlers under way at once. Default 64. */
  readonly concurrency?: number;
  /** Is told of what the handler throws; the requester hears it too. Without it errors are warnings of the process. */
  readonly onError?: (error: unknown, message: LiveMessage<CodecOutput<C>>) => void;
}

const requestTimeoutMs = 5_000;
const respondConcurrency = 64;

/**
 * Live subjects: messages go to whoever listens now, at most once, and are never on disk, unless a topic captures their subject: then it
 * keeps them as well. NATS clients of the same broker publish and subscribe here too.
 *
 * Patterns: `*` is one token, `>` all that follow. Values are JSON by default, see {@link Codec}.
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
  readonly #inbox: Inbox;

  constructor(context: BoxContext) {
    this.#context = context;
    this.#inbox = new Inbox(context);
  }

  /** Hands a message to whoever listens now; says to how many. */
  publish<C extends AnyCodec = Codec<unknown>>(
    subject: string,
    value: CodecInput<C>,
    options: LivePublishOptions<C> = {},
  ): number {
    const { codec = json() as AnyCodec, headers, reply } = options;
    const encoded = (codec as Codec<CodecInput<C>, unknown>).encode(value);
    if (encoded instanceof Promise) throw new TypeError('Live messages need a codec that encodes at once.');
    return this.#send(subject, encoded, headers, reply);
  }

  /** Messages of a subject or pattern, for a loop. Members of one `queue` share them. */
  subscribe<C extends AnyCodec = Codec<unknown>>(
    pattern: string,
    options: LiveSubscribeOptions<C> = {},
  ): LiveSubscription<CodecOutput<C>> {
    return new LiveSubscription(this.#context, this, pattern, options);
  }

  /** Publishes a message and resolves to the first answer. */
  async request<C extends AnyCodec = Codec<unknown>>(
    subject: string,
    value: CodecInput<C>,
    options: RequestOptions<C> = {},
  ): Promise<LiveMessage<CodecOutput<C>>> {
    const { timeoutMs = requestTimeoutMs, signal, ...publishOptions } = options;
    signal?.throwIfAborted();
    const codec = options.codec ?? (json() as AnyCodec);
    const { reply, answer, forget } = this.#inbox.expect<CodecOutput<C>>(this, codec, {
      subject,
      timeoutMs,
      signal,
    });
    try {
      const receivers = this.publish<C>(subject, value, { ...publishOptions, reply });
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

  /** Answers requests: what the handler returns goes back to whoever asked. */
  respond<C extends AnyCodec = Codec<unknown>>(
    pattern: string,
    handler: (message: LiveMessage<CodecOutput<C>>) => unknown,
    options: RespondOptions<C> = {},
  ): AsyncDisposable & { close(): Promise<void> } {
    const subscription = this.subscribe<C>(pattern, options);
    void this.#respond(subscription, handler, options);
    return subscription;
  }

  async #respond<C extends AnyCodec>(
    subscription: LiveSubscription<CodecOutput<C>>,
    handler: (message: LiveMessage<CodecOutput<C>>) => unknown,
    options: RespondOptions<C>,
  ): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const message of subscription) {
      const answering = this.#answer(message, handler, options).finally(() => running.delete(answering));
      running.add(answering);
      if (running.size >= (options.concurrency ?? respondConcurrency)) await Promise.race(running);
    }
  }

  async #answer<T>(
    message: LiveMessage<T>,
    handler: (message: LiveMessage<T>) => unknown,
    options: { readonly onError?: (error: unknown, message: LiveMessage<T>) => void },
  ): Promise<void> {
    try {
      const value = await handler(message);
      if (message.reply !== undefined) message.respond(value === undefined ? null : value);
    } catch (error) {
      const headers = { [errorHeader]: error instanceof Error ? error.message : String(error) };
      if (message.reply !== undefined) this.#send(message.reply, '', headers);
      if (options.onError) options.onError(error, message);
      else warnOfLiveFailure(error, message.subject);
    }
  }

  #send(subject: string, value: Uint8Array | string, headers?: HeadersInit, reply?: string): number {
    const { router } = this.#context.broker;
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
    const route = router.match(subjectBytes, 0, subjectBytes.length);
    const record = recordOf({ key: subjectBytes, headers: message.headers, value: valueBytes });
    route.topic?.publish(record, undefined, nobodyWaits, undefined);
    return router.deliver(route, message);
  }
}

/** At most once: whoever wants to know publishes to the topic itself. */
const nobodyWaits: PublishListener<undefined> = { published: () => {}, refused: () => {} };
