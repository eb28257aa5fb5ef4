import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection, ConnectionInfo } from '../connections/index.ts';
import { HttpError } from './error.ts';
import { writeReply, type HttpReply } from './reply.ts';
import { HttpRequest, type RequestHost } from './request.ts';

/** The services of the frontend that a connection uses. */
export interface ConnectionHost extends RequestHost {
  readonly protocol: string;
  readonly isStopping: boolean;
  handle(request: HttpRequest): HttpReply | Promise<HttpReply>;
  refusal(error: unknown, request: HttpRequest | undefined): HttpReply;
  refuse(socket: Socket, error: HttpError): void;
  gone(connection: HttpConnection): void;
}

interface Exchange {
  readonly request: HttpRequest;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
}

/** The rest of an unwanted body is read for this long, so that the client gets to read the answer. */
const lingerMs = 1_000;

/** A connection of an HTTP client. One request at a time is under way; requests sent ahead wait in order. */
export class HttpConnection implements Connection {
  readonly id: number;
  readonly socket: Socket;
  readonly #host: ConnectionHost;
  readonly #connectedMs = Date.now();
  readonly #address: string;
  #software = '';
  #user: string | null = null;
  #underWay: Exchange | undefined = undefined;
  readonly #waiting: Exchange[] = [];
  #hasAsked = false;
  /** When the head of the next request began to arrive, as far as is known. */
  #headSinceMs: number | undefined = undefined;
  #idleSinceMs: number;
  #requests = 0;
  #readBytes = 0;
  #sentBytes = 0;
  #stalledSinceMs: number | undefined = undefined;
  #isRefused = false;
  #isListening = false;

  constructor(host: ConnectionHost, socket: Socket, id: number) {
    this.id = id;
    this.socket = socket;
    this.#host = host;
    this.#address = socket.remoteAddress ?? '';
    this.#idleSinceMs = host.clock.monotonic();
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      for (const { request } of this.#waiting.splice(0)) request.abort();
      host.gone(this);
    });
  }

  info(): ConnectionInfo & { readonly requests: number } {
    return {
      id: this.id,
      protocol: this.#host.protocol,
      address: this.#address,
      name: '',
      user: this.#underWay?.request.user ?? this.#user,
      software: this.#software,
      version: '',
      connectedMs: this.#connectedMs,
      requests: this.#requests,
      inBytes: this.socket.bytesRead,
      outBytes: this.socket.bytesWritten,
      pendingBytes: this.socket.writableLength,
    };
  }

  kick(): void {
    this.socket.destroy();
  }

  /** Takes a request that has arrived up to the end of its headers. */
  take(message: IncomingMessage, response: ServerResponse, needsContinue: boolean): void {
    this.#requests++;
    if (this.socket.destroyed) return;
    this.#hasAsked = true;
    this.#headSinceMs = undefined;
    this.#software = (message.headers['user-agent'] ?? '').slice(0, 200);
    const request = new HttpRequest(this.#host, message, response, needsContinue);
    const exchange = { request, message, response };
    response.once('close', () => this.#done(exchange));
    if (!this.#underWay) return this.#begin(exchange);
    this.#waiting.push(exchange);
    this.#pause();
    if (this.#waiting.length > this.#host.limits.pipelinedMax) this.socket.destroy();
  }

  /** Called if the input is not HTTP, or the socket has failed. */
  failed(error: Error & { readonly code?: string }): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    if (error.code === 'ECONNRESET' || !this.socket.writable || this.#underWay)
      return void this.socket.destroy();
    const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    this.#host.refuse(
      this.socket,
      isTooLarge
        ? new HttpError(
            431,
            'headers-too-large',
            `The headers may have ${this.#host.limits.headersBytesMax} bytes at most.`,
          )
        : new HttpError(400, 'invalid-http', 'The input is not a request of HTTP/1.1.'),
    );
  }

  /** Leaves the connection to another protocol; false if a request is under way. */
  handOver(): boolean {
    if (this.#underWay || this.socket.destroyed) return false;
    this.#host.gone(this);
    return true;
  }

  /** Ends the connection when the server stops: at once without a request, otherwise after the answer. */
  stop(): void {
    if (this.#underWay) this.#underWay.request.abort();
    else this.socket.destroy();
  }

  /** Checks the deadlines. */
  lookAfter(nowMs: number): void {
    const { limits } = this.#host;
    const { socket } = this;
    if (socket.writableLength > 0) {
      const sent = socket.bytesWritten - socket.writableLength;
      if (sent !== this.#sentBytes) this.#stalledSinceMs = undefined;
      this.#sentBytes = sent;
      this.#stalledSinceMs ??= nowMs;
      if (nowMs - this.#stalledSinceMs >= limits.writeStallMs) socket.destroy();
    } else this.#stalledSinceMs = undefined;
    if (this.#underWay) return this.#underWay.request.lookAfter(nowMs);
    if (this.#isRefused) return;
    if (socket.bytesRead !== this.#readBytes) this.#headSinceMs ??= nowMs;
    const isLate =
      this.#headSinceMs !== undefined
        ? nowMs - this.#headSinceMs >= limits.headersMs
        : nowMs - this.#idleSinceMs >= (this.#hasAsked ? limits.idleMs : limits.headersMs);
    if (!isLate) return;
    this.#isRefused = true;
    if (this.#headSinceMs === undefined) socket.destroy();
    else
      this.#host.refuse(socket, new HttpError(408, 'request-too-slow', 'The request did not come in time.'));
  }

  /**
   * Stops reading until the waiting requests are answered. Node reads from the system past the stream, where
   * a pause has no effect, until the stream's data has a listener. After each request of the input at hand,
   * Node also resumes reading.
   */
  #pause(): void {
    if (this.#waiting.length > 1) return;
    if (!this.#isListening) this.socket.on('data', () => {});
    this.#isListening = true;
    process.nextTick(() => {
      if (this.#waiting.length > 0) this.socket.pause();
    });
  }

  #begin(exchange: Exchange): void {
    this.#underWay = exchange;
    void this.#answer(exchange);
  }

  async #answer({ request, message, response }: Exchange): Promise<void> {
    const host = this.#host;
    let reply: HttpReply;
    try {
      checkHead(message, host.limits.headersMax);
      reply = await host.handle(request);
    } catch (error) {
      reply = host.refusal(error, request);
    }
    this.#user = request.user;
    try {
      // After a body that was not read to its end, the connection cannot take another request.
      const isLast = host.isStopping || !message.complete;
      const headers = { ...reply.headers, ...(isLast ? { connection: 'close' } : {}) };
      await writeReply(response, { ...reply, headers }, request.method === 'HEAD');
      if (!message.complete) await this.#readRest(message);
      response.end();
    } catch (error) {
      await this.#broken(error, { request, message, response });
    }
  }

  /** The source of an answer has failed. The client sees a refusal, or an answer that breaks off. */
  async #broken(error: unknown, { request, response }: Exchange): Promise<void> {
    const reply = this.#host.refusal(error, request);
    if (response.headersSent || response.destroyed) return void response.destroy();
    await writeReply(response, reply, request.method === 'HEAD').catch(() => response.destroy());
    response.end();
  }

  /**
   * Reads the rest of the body for a while: unread input would turn the close into a reset, which may
   * overtake the answer.
   */
  #readRest(message: IncomingMessage): Promise<void> {
    if (message.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#host.clock.setTimer(lingerMs, resolve);
      message.once('close', () => {
        timer.cancel();
        resolve();
      });
      message.resume();
    });
  }

  #done({ request }: Exchange): void {
    request.done();
    if (this.#underWay?.request !== request) return;
    this.#underWay = undefined;
    const next = this.#waiting.shift();
    if (next) return this.#begin(next);
    this.#idleSinceMs = this.#host.clock.monotonic();
    this.#readBytes = this.socket.bytesRead;
    if (this.#host.isStopping) this.socket.destroySoon();
    else if (this.socket.isPaused()) this.socket.resume();
  }
}

function checkHead({ httpVersion, headers, rawHeaders }: IncomingMessage, headersMax: number): void {
  if (rawHeaders.length > 2 * headersMax)
    throw new HttpError(431, 'headers-too-large', `A request may have ${headersMax} headers at most.`);
  if (httpVersion === '1.1' && headers.host === undefined)
    throw new HttpError(400, 'host-missing', 'A request of HTTP/1.1 must have a Host.');
}
