import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Span, SpanBuffer, resourceBytes, scopeBytes } from './otlp.ts';

/** Spans go out after this time, or when there are so many bytes of them. */
const sendMs = 1000;
const sendBytes = 256 * 1024;
/** Spans that wait, besides those under way; more are dropped. */
const waitingBytesMax = 1024 * 1024;
const attemptMs = 10_000;
const attemptsMax = 5;
/** Statuses by which a collector asks for another attempt (OTLP 1.x, "Retryable Response Codes"). */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface SenderOptions {
  /** The base URL of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: { readonly [name: string]: string };
  /** The attributes of the resource: what makes the spans. */
  readonly resource: { readonly [name: string]: string };
  readonly version: string;
  /** Spans were lost. Called at most once until some arrive. */
  readonly onTrouble: (reason: string) => void;
}

/** Sends spans to a collector by OTLP over HTTP, one request at a time. */
export class SpanSender {
  readonly #options: SenderOptions;
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #resource: Buffer;
  readonly #scope: Buffer;
  readonly #waiting = new SpanBuffer(waitingBytesMax);
  #timer: NodeJS.Timeout | undefined = undefined;
  #isSending = false;
  #isClosing = false;
  #isInTrouble = false;
  #whenSent: (() => void) | undefined = undefined;
  #wake: (() => void) | undefined = undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#url = new URL(`${options.endpoint.replace(/\/+$/, '')}/v1/traces`);
    this.#agent =
      this.#url.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true, maxSockets: 1 })
        : new HttpAgent({ keepAlive: true, maxSockets: 1 });
    this.#resource = resourceBytes(options.resource);
    this.#scope = scopeBytes('pillarbox', options.version);
  }

  send(span: Span): void {
    if (!this.#waiting.add(span)) return this.#trouble('the collector is too slow');
    if (this.#isSending) return;
    if (this.#waiting.length >= sendBytes) this.#next();
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#next(), sendMs);
      this.#timer.unref();
    }
  }

  /** Sends what waits, for so long at most. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    this.#wake?.();
    const timeout = AbortSignal.timeout(timeoutMs);
    const sent = new Promise<void>((resolve) => {
      this.#whenSent = resolve;
      timeout.addEventListener('abort', () => resolve());
    });
    if (!this.#isSending) this.#next();
    await sent;
    this.#agent.destroy();
  }

  #next(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.count === 0) return this.#whenSent?.();
    this.#isSending = true;
    void this.#deliver(this.#waiting.take(this.#resource, this.#scope)).then(() => {
      this.#isSending = false;
      if (this.#isClosing || this.#waiting.length >= sendBytes) this.#next();
      else if (this.#waiting.count > 0) {
        this.#timer = setTimeout(() => this.#next(), sendMs);
        this.#timer.unref();
      }
    });
  }

  async #deliver(body: Buffer): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const problem = await this.#post(body).then(
        (status) => {
          if (status >= 200 && status < 300) return undefined;
          return { reason: `it answered ${status}`, isFinal: !retryable.has(status) };
        },
        (error: unknown) => ({ reason: reasonOf(error), isFinal: false }),
      );
      if (!problem) {
        this.#isInTrouble = false;
        return;
      }
      if (problem.isFinal || attempt >= attemptsMax || this.#isClosing) return this.#trouble(problem.reason);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, sendMs * 2 ** (attempt - 1)).unref();
      });
    }
  }

  /** Resolves to the status of the answer. */
  #post(body: Buffer): Promise<number> {
    const request = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        signal: AbortSignal.timeout(attemptMs),
        headers: {
          ...this.#options.headers,
          'content-type': 'application/x-protobuf',
          'content-length': body.length,
          'user-agent': 'pillarbox',
        },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', reject);
      });
      outgoing.end(body);
    });
  }

  #trouble(reason: string): void {
    if (this.#isInTrouble) return;
    this.#isInTrouble = true;
    this.#options.onTrouble(reason);
  }
}

function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.message : String(error);
}
