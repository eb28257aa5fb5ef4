import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../util/index.ts';
import { shownText } from '../../util/index.ts';
import type { BodyRoom } from './body-room.ts';
import { HttpError, clientGone } from './error.ts';
import type { HttpLimits } from './limits.ts';

/** The services of the frontend that a request uses. */
export interface RequestHost {
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly room: BodyRoom;
}

/** A request. Its head has arrived; its body is read when a handler asks for it. */
export class HttpRequest {
  readonly method: string;
  /** As sent by the client: `/queue?x=1`. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The address of the client. */
  readonly address: string;
  /** Set by the handler once it knows the user; the registry of connections shows it. */
  user: string | null = null;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #host: RequestHost;
  #url: URL | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #isAborted = false;
  /** The client waits for "100 Continue" before it sends the body. */
  #needsContinue: boolean;
  /** When the body, or its next piece, is due: a time of the monotonic clock. */
  #bodyDueMs = Infinity;
  #overdue: () => void = () => {};
  #heldBytes = 0;

  constructor(host: RequestHost, message: IncomingMessage, response: ServerResponse, needsContinue: boolean) {
    this.method = message.method ?? 'GET';
    this.target = message.url ?? '/';
    this.headers = message.headers;
    this.address = message.socket.remoteAddress ?? '';
    this.#message = message;
    this.#response = response;
    this.#host = host;
    this.#needsContinue = needsContinue;
  }

  /**
   * The target as a URL. Throws an HttpError if the target is not a path or an address. Paths may have any
   * number of slashes.
   */
  get url(): URL {
    return (this.#url ??= urlOf(this.target));
  }

  /** Aborted when the client has gone or the server stops: for answers that wait. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = (this.#abort = new AbortController());
      if (this.#isAborted || this.#response.destroyed) abort.abort();
      else this.#response.once('close', () => abort.abort());
    }
    return this.#abort.signal;
  }

  /** The socket of the request: with TLS it tells more about the client. */
  get socket(): Socket {
    return this.#message.socket;
  }

  /** Whether the client has sent all of the body. */
  get isComplete(): boolean {
    return this.#message.complete;
  }

  get isGone(): boolean {
    return this.#message.socket.destroyed;
  }

  /**
   * Reads the whole body. Rejects with an HttpError if the body is larger than the limit, takes too long, or
   * finds no room beside other bodies, or if the client leaves. If the client announces the length, a body
   * that is too large is refused before it is read.
   */
  bytes(bytesMax: number = this.#host.limits.bodyBytesMax): Promise<Buffer> {
    const message = this.#message;
    if (Number(this.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(bodyTooLarge(bytesMax));
    if (message.destroyed) return Promise.reject(clientGone());
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const finish = (error?: HttpError): void => {
        this.#bodyDueMs = Infinity;
        message.off('data', take).off('end', end).off('close', leave);
        if (!error) return resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
        message.resume(); // the rest is thrown away
        reject(error);
      };
      const take = (chunk: Buffer): void => {
        if (this.#heldBytes + chunk.length > bytesMax) return finish(bodyTooLarge(bytesMax));
        if (!this.#host.room.take(chunk.length, this.#heldBytes)) return finish(noRoom());
        this.#heldBytes += chunk.length;
        chunks.push(chunk);
      };
      const end = (): void => finish();
      const leave = (): void => finish(clientGone());
      this.#expect(this.#host.limits.bodyMs, () => finish(tooSlow()));
      message.on('data', take).on('end', end).on('close', leave);
      this.#continue();
    });
  }

  /**
   * Reads the body in pieces, as the client sends them and the handler asks for them. Throws an HttpError if
   * the body is larger than the limit or the client leaves. The connection of a body that stalls is closed.
   */
  async *stream(bytesMax: number = Infinity): AsyncGenerator<Buffer, undefined> {
    const message = this.#message;
    if (Number(this.headers['content-length'] ?? 0) > bytesMax) throw bodyTooLarge(bytesMax);
    if (message.destroyed) throw clientGone();
    const pieces = message.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    this.#continue();
    let bytes = 0;
    try {
      for (;;) {
        this.#expect(this.#host.limits.bodyStallMs, () => message.destroy());
        const next = await pieces.next().catch(() => {
          throw clientGone();
        });
        this.#bodyDueMs = Infinity;
        if (next.done === true) break;
        bytes += next.value.length;
        if (bytes > bytesMax) throw bodyTooLarge(bytesMax);
        yield next.value;
      }
      if (!message.complete) throw clientGone();
    } finally {
      this.#bodyDueMs = Infinity;
      await pieces.return?.();
      message.resume();
    }
    return undefined;
  }

  /** Checks the deadline of the body. */
  lookAfter(nowMs: number): void {
    if (nowMs < this.#bodyDueMs) return;
    this.#bodyDueMs = Infinity;
    this.#overdue();
  }

  /** Ends answers that wait, because the server stops. */
  abort(): void {
    this.#isAborted = true;
    this.#abort?.abort();
  }

  /** Frees the room of the body after the answer. */
  done(): void {
    this.#host.room.give(this.#heldBytes);
    this.#heldBytes = 0;
  }

  #expect(ms: number, overdue: () => void): void {
    this.#bodyDueMs = this.#host.clock.monotonic() + ms;
    this.#overdue = overdue;
  }

  #continue(): void {
    if (this.#needsContinue) this.#response.writeContinue();
    this.#needsContinue = false;
  }
}

/** A target may be a path, with any number of slashes (`//`), or an absolute address as proxies send it. */
function urlOf(target: string): URL {
  const address = target.startsWith('/') ? `http://localhost${target}` : target;
  if (!URL.canParse(address, 'http://localhost'))
    throw new HttpError(400, 'invalid-request', `"${shownText(target.slice(0, 200))}" is not a path.`);
  return new URL(address, 'http://localhost');
}

function bodyTooLarge(bytesMax: number): HttpError {
  return new HttpError(413, 'body-too-large', `A body may have ${bytesMax} bytes at most.`);
}

function tooSlow(): HttpError {
  return new HttpError(
    408,
    'body-too-slow',
    'The body did not come in time; send it again, faster or in parts.',
  );
}

function noRoom(): HttpError {
  return new HttpError(503, 'bodies-full', 'Too many large requests are under way; try again later.', {
    'retry-after': '1',
  });
}
