import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Hall, Sessions, type TlsGuard } from '../connections/index.ts';
import type { Frontend } from '../frontend.ts';
import { BodyRoom } from './body-room.ts';
import { HttpError } from './error.ts';
import { type ConnectionHost, HttpConnection } from './http-connection.ts';
import { httpLimits, type HttpLimits } from './limits.ts';
import { type HttpReply, replyText } from './reply.ts';
import type { HttpRequest } from './request.ts';

export interface HttpFrontendOptions {
  /** The protocol on top of HTTP, as the registry of connections shows it. */
  readonly name: string;
  readonly authenticates: boolean;
  readonly hall: Hall;
  /** Answers a request. */
  readonly handle: (request: HttpRequest) => HttpReply | Promise<HttpReply>;
  /**
   * Makes the answer to a request that failed or is refused, from an HttpError or from the error that
   * `handle` threw. Without a request, the connection is closed before there was one; the body must then be a
   * text. It is also called for answers that broke off; its reply is then not used.
   */
  readonly refusal: (error: unknown, request: HttpRequest | undefined) => HttpReply;
  /**
   * Takes over connections that ask for another protocol (`Upgrade`), which are no longer connections of this
   * frontend then; `head` has the first bytes after the request. Without it, such a request is like any
   * other.
   */
  readonly upgrade?: ((request: IncomingMessage, socket: Socket, head: Buffer) => void) | undefined;
  readonly limits?: Partial<HttpLimits>;
  readonly tls?: TlsGuard | undefined;
  /** Connections of this frontend and those of other protocols do not count towards each other's limit. */
  readonly isApart?: boolean;
}

/** The interval at which the deadlines of connections are checked. */
const sweepMs = 500;

/**
 * The HTTP frontend takes the connections of HTTP clients and passes their requests to a handler, one at a
 * time for each connection. It bounds everything that clients can make it hold: see {@link HttpLimits}.
 *
 * Node implements HTTP/1.1 itself.
 */
export class HttpFrontend implements Frontend {
  readonly name: string;
  readonly authenticates: boolean;
  readonly #options: HttpFrontendOptions;
  readonly #limits: HttpLimits;
  readonly #http: Server;
  readonly #host: ConnectionHost;
  readonly #sessions: Sessions<HttpConnection>;
  readonly #bySocket = new WeakMap<Socket, HttpConnection>();
  readonly #room: BodyRoom;
  #isStopping = false;

  constructor(options: HttpFrontendOptions) {
    this.name = options.name;
    this.authenticates = options.authenticates;
    this.#options = options;
    const limits = (this.#limits = { ...httpLimits, ...options.limits });
    this.#room = new BodyRoom(limits.bodiesBytesMax);
    // This server does not listen: connections are handed to it. Its deadlines are off, because the frontend
    // has its own.
    this.#http = createServer({
      maxHeaderSize: limits.headersBytesMax,
      requireHostHeader: false, // refused with an error of the protocol
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
    });
    this.#http.maxHeadersCount = 0; // Node would drop headers beyond it unseen; connections count them
    this.#http.on('request', (message, response) => this.#take(message, response, false));
    this.#http.on('checkContinue', (message, response) => this.#take(message, response, true));
    const { upgrade } = options;
    if (upgrade)
      this.#http.on('upgrade', (message, socket, head) => {
        // Answers to requests before this one would come between the two protocols.
        if (this.#bySocket.get(socket as Socket)?.handOver() === true)
          upgrade(message, socket as Socket, head);
        else socket.destroy();
      });
    this.#http.on('clientError', (error, socket) => {
      const connection = this.#bySocket.get(socket as Socket);
      if (connection) connection.failed(error);
      else socket.destroy();
    });
    const isStopping = (): boolean => this.#isStopping;
    this.#host = {
      protocol: options.name,
      limits,
      clock: options.hall.clock,
      room: this.#room,
      get isStopping() {
        return isStopping();
      },
      handle: options.handle,
      refusal: options.refusal,
      refuse: (socket, error) => this.#refuse(socket, error),
      gone: (connection) => this.#sessions.remove(connection),
    };
    this.#sessions = new Sessions({
      registry: options.hall.registry,
      clock: options.hall.clock,
      connectionsMax: limits.connectionsMax,
      isApart: options.isApart === true,
      sweepMs,
      lookAfter: (connection, nowMs) => connection.lookAfter(nowMs),
    });
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Bytes of bodies that are held for handlers. */
  get bodyBytes(): number {
    return this.#room.bytes;
  }

  accept(socket: Socket): void {
    const { hall, tls } = this.#options;
    hall.turns.accepted();
    if (!this.#sessions.hasRoom(tls?.handshakes)) return this.#refuseFull(socket, tls !== undefined);
    if (!tls) return this.#letIn(socket);
    tls.secure(socket, (secured) => this.#letIn(secured));
  }

  /** Gives requests under way `graceMs` to end. Requests that wait for something end at once. */
  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#isStopping = true;
    this.#sessions.shut();
    this.#options.tls?.close();
    for (const connection of this.#sessions) connection.stop();
    if (graceMs > 0) await this.#sessions.empty(graceMs);
    for (const connection of this.#sessions) connection.kick();
    await this.#sessions.ended();
  }

  #letIn(socket: Socket): void {
    // During the handshake, other connections or a stop may have come.
    if (!this.#sessions.hasRoom()) return this.#refuseFull(socket, false);
    const connection = new HttpConnection(this.#host, socket, this.#sessions.nextId());
    this.#sessions.add(connection);
    this.#bySocket.set(socket, connection);
    this.#http.emit('connection', socket);
    socket.resume(); // the socket has not been read from yet
  }

  #take(message: IncomingMessage, response: ServerResponse, needsContinue: boolean): void {
    this.#bySocket.get(message.socket)?.take(message, response, needsContinue);
  }

  /**
   * Refuses a connection because there are too many; `isSilent` before a TLS handshake, when the client could
   * not read an answer.
   */
  #refuseFull(socket: Socket, isSilent: boolean): void {
    if (isSilent) return this.#options.hall.refusals.refuse(socket);
    const message = `There are too many connections (${this.#limits.connectionsMax} at most); try again later.`;
    this.#refuse(socket, new HttpError(503, 'connections-exceeded', message, { 'retry-after': '1' }));
  }

  #refuse(socket: Socket, error: HttpError): void {
    this.#options.hall.refusals.refuse(socket, replyText(this.#options.refusal(error, undefined)));
  }
}
