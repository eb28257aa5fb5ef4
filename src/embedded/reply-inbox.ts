import type { AnyCodec } from './codec.ts';
import type { BoxContext, Closable } from './context.ts';
import { BoxError } from './errors.ts';
import { LiveMessage, type Replier } from './live-message.ts';
import type { LiveMessage as CoreLiveMessage, LiveSubscription } from '../broker/index.ts';

/** A request waiting for its answer. */
export interface Expected<T> {
  /** The subject to answer on. */
  readonly reply: string;
  readonly answer: Promise<LiveMessage<T>>;
  /** Stops waiting. */
  readonly forget: () => void;
}

/**
 * The reply inbox receives the answers to live requests. One subscription serves all requests; the last token
 * of the subject tells them apart.
 */
export class ReplyInbox implements Closable {
  readonly #context: BoxContext;
  readonly #prefix: string;
  readonly #expected = new Map<string, (message: CoreLiveMessage) => void>();
  #subscription: LiveSubscription | undefined;
  #last = 0;

  constructor(context: BoxContext) {
    this.#context = context;
    this.#prefix = `_INBOX.${Buffer.from(context.broker.random.bytes(12)).toString('hex')}.`;
  }

  expect<T>(
    live: Replier,
    codec: AnyCodec,
    request: {
      readonly subject: string;
      readonly timeoutMs: number;
      readonly signal: AbortSignal | undefined;
    },
  ): Expected<T> {
    this.#subscribe();
    const { subject, timeoutMs, signal } = request;
    const reply = `${this.#prefix}${++this.#last}`;
    const letGo = this.#context.keepAlive.hold();
    let end = letGo;
    const answer = new Promise<LiveMessage<T>>((resolve, reject) => {
      const late = `Nobody answered on "${subject}" within ${timeoutMs} ms.`;
      const timer = this.#context.clock.setTimer(timeoutMs, () =>
        reject(new BoxError('request-timeout', late)),
      );
      const onAbort = (): void => reject(signal!.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#expected.set(reply, (message) => resolve(new LiveMessage<T>(live, codec, message)));
      end = () => {
        letGo();
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#expected.delete(reply);
      };
    });
    answer.catch(() => undefined); // the caller may have given up on it
    return { reply, answer, forget: () => end() };
  }

  async close(): Promise<void> {
    if (this.#subscription) this.#context.broker.router.unsubscribe(this.#subscription);
  }

  #subscribe(): void {
    if (this.#subscription) return;
    this.#context.open.add(this);
    this.#subscription = this.#context.broker.router.subscribe(`${this.#prefix}*`, undefined, {
      congested: false,
      whenDrained: (callback) => callback(),
      receive: (message) => {
        const answered = this.#expected.get(message.subject);
        answered?.(message);
        return answered !== undefined;
      },
    });
  }
}
