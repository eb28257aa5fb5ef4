import { Call, type Failure, type HandlerContext } from './call.ts';
import type { BoxContext } from './context.ts';
import { errorHeader, type LiveMessage, type Replier } from './live-message.ts';
import type { LiveSubscription } from './live-subscription.ts';
import { Subscription } from './subscription.ts';
import { warnOfLiveFailure } from './warning.ts';

/** Handles a request; the value that it returns or resolves to is the answer. */
export type RequestHandler<T> = (message: LiveMessage<T>, context: HandlerContext) => unknown;

export interface ResponderOptions {
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onError: ((error: unknown, message: LiveMessage<never>) => void) | undefined;
}

/**
 * A responder passes requests on live subjects to a handler until it is closed. Closing waits for running
 * handlers.
 */
export class Responder extends Subscription {
  readonly #context: BoxContext;
  readonly #replier: Replier;
  readonly #requests: LiveSubscription<never>;
  readonly #handler: RequestHandler<never>;
  readonly #options: ResponderOptions;

  constructor(
    context: BoxContext,
    replier: Replier,
    requests: LiveSubscription<never>,
    handler: RequestHandler<never>,
    options: ResponderOptions,
  ) {
    super(context, options.signal);
    this.#context = context;
    this.#replier = replier;
    this.#requests = requests;
    this.#handler = handler;
    this.#options = options;
    if (options.signal?.aborted) void this.close();
    else void this.#run();
  }

  protected override stopTaking(): void {
    void this.#requests.close();
  }

  async #run(): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const message of this.#requests) {
      const answering = this.#answer(message).finally(() => running.delete(answering));
      running.add(answering);
      if (running.size >= this.#options.concurrency) await Promise.race(running);
    }
    await this.close();
  }

  async #answer(message: LiveMessage<never>): Promise<void> {
    const call = new Call(this.#context, []);
    this.calls.add(call);
    let failure: Failure | undefined;
    try {
      const value = await this.#handler(message, call);
      if (message.reply !== undefined) message.respond(value === undefined ? null : value);
    } catch (thrown) {
      failure = { thrown };
      this.#tellRequester(message, thrown);
    }
    this.callEnded(call);
    if (!failure) return;
    if (this.#options.onError) this.#options.onError(failure.thrown, message);
    else if (!call.isAbort(failure)) warnOfLiveFailure(failure.thrown, message.subject);
  }

  #tellRequester({ reply }: LiveMessage<never>, thrown: unknown): void {
    if (reply === undefined) return;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    this.#replier.fail(reply, { [errorHeader]: text });
  }
}
