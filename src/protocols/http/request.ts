import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../util/index.ts';
import { shownText } from '../../util/index.ts';
import type { BodyRoom } from './body-room.ts';
import { HttpError, clientGone } from './error.ts';
import type { HttpLimits } from './limits.ts';

/** What a request needs of its frontend. */
export interface RequestHost {
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly room: BodyRoom;
}

/** A request: its head is here, its body comes when a handler asks for it. */
export class HttpRequest {
  readonly method: string;
  /** As it was sent: `/queue?x=1`. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the client. */
  readonly address: string;
  /** Set by the handler once it knows: the registry of connections shows it. */
  user: string | null = null;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #host: RequestHost;
  #url: URL | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #isAborted = false;
  /** The client waits for "100 Continue" before it sends the body. */
  #needsContinue: boolean;
  /** The body is to be here, or to go on, by then: a time of the monotonic clock. */
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

  /** Throws an HttpError for a target that is none. Paths may have slashes as they like. */
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

  /** The connection that it came by: TLS knows more of the client. */
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
   * The whole body. Rejects with an HttpError when it is larger than the limit (before it has come, where the
   * client says its length), takes too long, finds no room beside other bodies, or the client leaves.
   */
  bytes(bytesMax: number = this.#host.limits.bodyBytesMax): Promise<Buffer> {
    const message = this.#message;
    const tooLarge = bodyTooLarge(bytesMax);
    if (Number(this.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge);
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
        if (this.#heldBytes + chunk.length > bytesMax) return finish(tooLarge);
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
   * The body in pieces, as they come: the client is read from as pieces are asked for. Throws an HttpError
   * when it is larger than the limit or the client leaves. One that stalls is cut off.
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

  /** Looks after the body's deadline. */
  lookAfter(nowMs: number): void {
    if (nowMs < this.#bodyDueMs) return;
    this.#bodyDueMs = Infinity;
    this.#overdue();
  }

  /** The server stops: answers that wait are to end. */
  abort(): void {
    this.#isAborted = true;
    this.#abort?.abort();
  }

  /** The answer is out. */
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

/** A target may be a path, with slashes as it likes (`//`), or an address as proxies send it. */
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
