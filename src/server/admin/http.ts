import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type Socket, isIP } from 'node:net';
import { type Hall, Listener } from '../../protocols/index.ts';
import { sameText } from '../../util/index.ts';
import { shownText } from '../../util/index.ts';
import { AdminError, describeError, invalidRequest } from './errors.ts';

/** A request of the admin HTTP after routing. */
export interface AdminRequest {
  /** The `:names` of the path, decoded. */
  readonly params: { readonly [name: string]: string };
  readonly query: URLSearchParams;
  /**
   * The body as JSON; undefined when it is empty. Larger ones than {@link bodyBytesMax} are refused while
   * they come in.
   */
  readonly json: () => Promise<unknown>;
  /** Aborted when the client has gone or the server stops: for answers that wait. */
  readonly signal: AbortSignal;
}

/** An answer: JSON, or text of a type of its own. */
export type AdminReply =
  | { readonly kind: 'json'; readonly status?: number; readonly body: unknown }
  | { readonly kind: 'text'; readonly status?: number; readonly type: string; readonly body: string };

/** One line of the table of routes. A segment that starts with `:` is a name in `params`. */
export interface Route<Context> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly handle: (request: AdminRequest, context: Context) => AdminReply | Promise<AdminReply>;
}

export interface AdminHttpOptions<Context> {
  readonly routes: readonly Route<Context>[];
  readonly context: Context;
  readonly host: string;
  readonly port: number;
  /** When set, every request but the health checks must carry it: `Authorization: Bearer …`. */
  readonly token?: string | undefined;
  readonly connectionsMax: number;
  /** Shared with the protocols. */
  readonly hall: Hall;
  readonly onError: (error: unknown, request: string) => void;
}

/** The admin HTTP while it listens. */
export interface AdminHttp {
  readonly port: number;
  close(options: { readonly graceMs: number }): Promise<void>;
}

export const bodyBytesMax: number = 8 * 2 ** 20;
/** Under which name wrong tokens are counted. */
const tokenUser = 'admin token';
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** Listens; rejects with the system's error (EADDRINUSE, EACCES, …) when it cannot. */
export async function listenAdminHttp<Context>(options: AdminHttpOptions<Context>): Promise<AdminHttp> {
  const stopping = new AbortController();
  const server = createServer((message, response) => {
    answer(message, response, options, stopping.signal).catch((error: unknown) => {
      options.onError(error, `${message.method} ${message.url}`);
      response.destroy();
    });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  limitConnections(server, options);
  const listener = new Listener(server, { allowHalfOpen: true, noDelay: true });
  const { port } = await listener.listen(options);
  return {
    port,
    close: ({ graceMs }) => closeServer(server, listener, stopping, graceMs),
  };
}

const noRoom =
  'HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n' +
  'content-type: application/json; charset=utf-8\r\n\r\n' +
  '{"error":{"code":"connections-exceeded","message":"There are too many connections to the admin HTTP; try again later."}}\n';

/** Connections beyond the limit are answered before they have asked, and do not reach the HTTP server. */
function limitConnections(
  server: Server,
  { connectionsMax, hall }: Pick<AdminHttpOptions<never>, 'connectionsMax' | 'hall'>,
): void {
  const serve = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  let open = 0;
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    if (open >= connectionsMax) return hall.refusals.refuse(socket, noRoom);
    open++;
    socket.once('close', () => open--);
    for (const listener of serve) listener.call(server, socket);
  });
}

async function closeServer(
  server: Server,
  listener: Listener,
  stopping: AbortController,
  graceMs: number,
): Promise<void> {
  const closed = listener.close();
  stopping.abort();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}

async function answer<Context>(
  message: IncomingMessage,
  response: ServerResponse,
  options: AdminHttpOptions<Context>,
  stopping: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let reply: AdminReply;
  let body: string;
  let headers: { readonly [name: string]: string } = {};
  try {
    checkOrigin(message, options.host, options.token !== undefined);
    const url = urlOf(message.url ?? '/');
    if (options.token !== undefined && !openPaths.has(url.pathname))
      await checkToken(message, options.token, options.hall);
    const { route, params } = findRoute(options.routes, message.method ?? 'GET', url.pathname);
    reply = await route.handle(
      {
        params,
        query: url.searchParams,
        json: () => readJson(message),
        signal: AbortSignal.any([gone.signal, stopping]),
      },
      options.context,
    );
    body = textOf(reply);
  } catch (error) {
    const described = describeError(error);
    if (described.status === 500) options.onError(error, `${message.method} ${message.url}`);
    reply = { kind: 'json', status: described.status, body: described.body };
    headers = described.headers;
    body = textOf(reply);
  }
  send(message, response, { ...reply, body }, headers, stopping.aborted);
}

/** A target may be a path, with slashes as it likes (`//`), or an address as proxies send it. */
function urlOf(target: string): URL {
  const address = target.startsWith('/') ? `http://localhost${target}` : target;
  if (!URL.canParse(address, 'http://localhost'))
    throw invalidRequest(`"${shownText(target.slice(0, 200))}" is not a path.`);
  return new URL(address, 'http://localhost');
}

function textOf(reply: AdminReply): string {
  return reply.kind === 'json' ? `${JSON.stringify(reply.body)}\n` : reply.body;
}

function send(
  message: IncomingMessage,
  response: ServerResponse,
  reply: AdminReply & { readonly body: string },
  headers: { readonly [name: string]: string },
  isStopping: boolean,
): void {
  if (response.destroyed) return;
  const { body } = reply;
  response.writeHead(reply.status ?? 200, {
    'content-type': reply.kind === 'json' ? 'application/json; charset=utf-8' : reply.type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // A body that was not read to its end cannot be followed by another request.
    ...(isStopping || !message.complete ? { connection: 'close' } : {}),
    ...headers,
  });
  response.end(body);
}

/**
 * Keeps web pages out. A page on another site may resolve its own name to 127.0.0.1 (DNS rebinding), so that
 * its requests come with a foreign Host; or send a form here, which comes with a foreign Origin. Neither is a
 * client of ours.
 */
export function checkOrigin(
  message: { readonly headers: IncomingMessage['headers'] },
  boundHost: string,
  needsToken: boolean,
): void {
  const { host = '', origin } = message.headers;
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  const isListeningEverywhere = boundHost === '0.0.0.0' || boundHost === '::';
  const isAllowed =
    // A page that was led here does not have the token, so any name will do.
    needsToken ||
    ['localhost', '127.0.0.1', '::1', boundHost.toLowerCase()].includes(name) ||
    // A name can be made to point here, an address cannot.
    (isListeningEverywhere && isIP(name) !== 0);
  if (!isAllowed)
    throw new AdminError(
      403,
      'host-not-allowed',
      `The Host "${host.slice(0, 200)}" is not one of this server's; use localhost or the address it listens on.`,
    );
  if (origin !== undefined && origin !== `http://${host}`)
    throw new AdminError(403, 'origin-not-allowed', 'Web pages of other origins may not use the admin HTTP.');
}

/** Where the token may not be looked at yet, the request waits. */
async function checkToken(message: IncomingMessage, token: string, { logins, clock }: Hall): Promise<void> {
  const [, given] = /^Bearer (.+)$/i.exec(message.headers.authorization ?? '') ?? [];
  const address = message.socket.remoteAddress ?? '';
  if (given !== undefined) {
    const waitMs = logins.admit(address, tokenUser);
    if (waitMs === undefined)
      throw new AdminError(
        429,
        'too-many-logins',
        'Too many wrong tokens came from this address; try again later.',
        {
          'retry-after': '10',
        },
      );
    if (waitMs > 0) await new Promise<void>((resolve) => clock.setTimer(waitMs, resolve));
    // A client that has left learns nothing, and its guess is not looked at.
    if (!message.socket.destroyed) {
      if (sameText(token, given)) return logins.succeeded(address, tokenUser);
      logins.failed(address, tokenUser);
    }
  }
  throw new AdminError(401, 'not-authorised', 'Send "Authorization: Bearer" with the admin token.', {
    'www-authenticate': 'Bearer',
  });
}

function findRoute<Context>(
  routes: readonly Route<Context>[],
  method: string,
  path: string,
): { route: Route<Context>; params: { [name: string]: string } } {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed = new Set<string>();
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (params && route.method === wanted) return { route, params };
    if (params) allowed.add(route.method);
  }
  if (allowed.size > 0) {
    const allow = [...allowed].join(', ');
    throw new AdminError(405, 'method-not-allowed', `This path takes ${allow}, not ${method}.`, { allow });
  }
  throw new AdminError(404, 'route-not-found', `There is nothing at ${path.slice(0, 200)}.`);
}

/** `/topics/:topic` and `/topics/a%2Fb` give `{ topic: 'a/b' }`; undefined when they do not match. */
export function matchPath(pattern: string, path: string): { [name: string]: string } | undefined {
  const names = pattern.split('/');
  const segments = path.split('/');
  if (names.length !== segments.length) return undefined;
  const params: { [name: string]: string } = {};
  for (const [at, name] of names.entries()) {
    const segment = segments[at] ?? '';
    if (!name.startsWith(':')) {
      if (name !== segment) return undefined;
      continue;
    }
    if (segment === '') return undefined;
    try {
      params[name.slice(1)] = decodeURIComponent(segment);
    } catch {
      throw invalidRequest('The path has a "%" that is not followed by two hexadecimal digits.');
    }
  }
  return params;
}

async function readJson(message: IncomingMessage): Promise<unknown> {
  const tooLarge = new AdminError(413, 'body-too-large', `A body may have ${bodyBytesMax} bytes at most.`);
  if (Number(message.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw tooLarge;
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  const type = message.headers['content-type'] ?? '';
  if (!/^application\/json\b/i.test(type))
    throw new AdminError(415, 'not-json', 'Send the body as JSON with "Content-Type: application/json".');
  try {
    return JSON.parse(Buffer.concat(chunks, bytes).toString('utf8')) as unknown;
  } catch {
    throw invalidRequest('The body is not valid JSON.');
  }
}
