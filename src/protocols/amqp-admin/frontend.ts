import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { KeptUsers, type ManagedAmqp } from '../amqp/index.ts';
import { Task, type Hall, type TlsGuard } from '../connections/index.ts';
import type { Frontend, ListenOptions } from '../frontend.ts';
import {
  checkOrigin,
  findRoute,
  HttpFrontend,
  type HttpReply,
  type HttpRequest,
  type OriginRules,
} from '../http/index.ts';
import type { Users } from '../users/index.ts';
import { refuseHandshake, WebSockets } from '../websocket/index.ts';
import type { Api } from './api.ts';
import { refusalOf } from './errors.ts';
import { managementLimits, webSocketMessageBytesMax } from './limits.ts';
import { logIn } from './login.ts';
import { httpReply, refusalReply } from './reply.ts';
import { readBody, type ApiRequest } from './request.ts';
import { routes } from './routes.ts';
import { ServerNode } from './server-node.ts';

export interface AmqpAdminOptions {
  readonly amqp: ManagedAmqp;
  readonly hall: Hall;
  readonly users: Users;
  /** The version of this server. */
  readonly version?: string;
  readonly tls?: TlsGuard | undefined;
  /** Called with errors that nobody has foreseen. */
  readonly report?: (error: unknown, request: string) => void;
}

/**
 * The frontend of RabbitMQ's management API: its requests read and change what AMQP clients use. AMQP clients
 * connect here, too, if they speak by WebSocket.
 */
export class AmqpAdminFrontend implements Frontend {
  readonly name = 'amqpAdmin';
  readonly #http: HttpFrontend;
  readonly #api: Api;
  readonly #tls: TlsGuard | undefined;
  readonly #webSockets: WebSockets;
  readonly #report: (error: unknown, request: string) => void;
  #host = '127.0.0.1';

  constructor({ amqp, hall, users, version = '', tls, report = () => {} }: AmqpAdminOptions) {
    const kept = new KeptUsers(amqp.broker, users);
    this.#api = { amqp, users, kept, hall, node: new ServerNode(amqp, version) };
    this.#tls = tls;
    this.#report = report;
    this.#webSockets = new WebSockets({
      subprotocol: 'amqp',
      messageBytesMax: webSocketMessageBytesMax,
      accept: (stream) => amqp.admit(stream),
    });
    this.#http = new HttpFrontend({
      name: this.name,
      authenticates: this.authenticates,
      hall,
      handle: (request) => this.#answer(request),
      refusal: (error, request) => this.#refusal(error, request),
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
      limits: managementLimits,
      tls,
    });
  }

  get authenticates(): boolean {
    return this.#api.users.requires('amqp');
  }

  get connections(): number {
    return this.#http.connections;
  }

  listening({ host, port }: ListenOptions): void {
    this.#host = host;
    this.#api.node.managementAddress = { host, port };
  }

  accept(socket: Socket): void {
    this.#http.accept(socket);
  }

  close(options?: { readonly graceMs?: number }): Promise<void> {
    return this.#http.close(options);
  }

  get #originRules(): OriginRules {
    return {
      boundHost: this.#host,
      // A page that reaches this server under a foreign name (DNS rebinding) has no password.
      takesAnyName: this.authenticates,
      scheme: this.#tls === undefined ? 'http' : 'https',
    };
  }

  /** An AMQP client logs in by itself: only a certificate would be shown by the browser of any page. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const isProved = this.authenticates && this.#tls?.asksForCertificates !== true;
    try {
      checkOrigin(request.headers, { ...this.#originRules, otherPages: isProved ? 'all' : 'local' });
    } catch (error) {
      return refuseHandshake(socket, 403, (error as Error).message);
    }
    this.#webSockets.upgrade(request, socket, head);
  }

  async #answer(request: HttpRequest): Promise<HttpReply> {
    checkOrigin(request.headers, this.#originRules);
    const caller = await logIn(request, this.#api);
    request.user = caller.userName;
    const { pathname, searchParams: query } = request.url;
    // As in RabbitMQ, a slash at the end means nothing.
    const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
    const { route, params } = findRoute(routes, request.method, path);
    const { 'x-reason': reason } = request.headers;
    const asked: ApiRequest = {
      caller,
      params,
      query,
      reason: typeof reason === 'string' ? reason : undefined,
      turns: new Task(this.#api.hall.turns, () => request.signal.aborted),
      body: () => readBody(request),
    };
    return httpReply(await route.handle(asked, this.#api), asked.turns);
  }

  #refusal(error: unknown, request: HttpRequest | undefined): HttpReply {
    const refusal = refusalOf(error);
    if (refusal) return refusalReply(refusal.status, refusal.error, refusal.reason, refusal.headers);
    this.#report(error, request === undefined ? '' : `${request.method} ${request.target}`);
    return refusalReply(500, 'internal_server_error', 'The request failed; the log has the reason.');
  }
}
