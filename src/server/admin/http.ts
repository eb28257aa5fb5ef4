import type { ErrorJson } from '../../admin-api/index.ts';
import {
  checkOrigin,
  findRoute,
  type Hall,
  HttpError,
  HttpFrontend,
  type HttpReply,
  type HttpRequest,
  jsonPieces,
  Listener,
  type Route as PathRoute,
  type TlsGuard,
  noAccess,
  Users,
} from '../../protocols/index.ts';
import { nestsDeeper } from '../../util/index.ts';
import { describeError, invalidRequest } from './errors.ts';
import { adminProtocol, type AdminDoor, type AdminLogin, logIn, needsLogin } from './login.ts';
import type { JsonReply } from './reply.ts';
import { Sessions } from './sessions.ts';

/** A request of the admin HTTP after routing. */
export interface AdminRequest {
  /** The permissions of the user. */
  readonly access: AdminLogin['access'];
  /** The `:names` of the path, decoded. */
  readonly params: { readonly [name: string]: string };
  readonly query: URLSearchParams;
  readonly headers: HttpRequest['headers'];
  /** The request itself; undefined for an answer that a stream of changes asks for. */
  readonly raw?: HttpRequest;
  /** The body as JSON; undefined if it is empty. */
  readonly json: () => Promise<unknown>;
  /** Aborted when the client has gone or the server stops; for answers that wait. */
  readonly signal: AbortSignal;
}

/** An answer: JSON, text with its own content type, or anything with its own headers. */
export type AdminReply =
  | JsonReply<object>
  | { readonly kind: 'text'; readonly status?: number; readonly type: string; readonly body: string }
  | {
      readonly kind: 'raw';
      readonly status?: number;
      readonly headers: { readonly [name: string]: string };
      readonly body: NonNullable<HttpReply['body']>;
    };

/** One line of the table of routes. */
export interface Route<Context> extends PathRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly summary: string;
  readonly handle: (request: AdminRequest, context: Context) => AdminReply | Promise<AdminReply>;
}

export interface AdminHttpOptions<Context> {
  readonly routes: readonly Route<Context>[];
  readonly context: Context;
  readonly host: string;
  readonly port: number;
  /** If set, requests with this token may do everything: `Authorization: Bearer …`. */
  readonly token?: string | undefined;
  /** If set, requests for the metrics may have this token instead. */
  readonly metricsToken?: string | undefined;
  /**
   * Users that may log in here. If there is a token or a user, every request except health checks has to log
   * in.
   */
  readonly users?: Users;
  /** The sessions of browsers. */
  readonly sessions?: Sessions;
  /** A path such as `/pillarbox` that requests may have in front of theirs. */
  readonly basePath?: string | undefined;
  readonly tls?: TlsGuard | undefined;
  readonly connectionsMax: number;
  /** Shared with the protocols. */
  readonly hall: Hall;
  readonly onError: (error: unknown, request: string) => void;
}

/** The admin HTTP while it listens. */
export interface AdminHttp {
  readonly port: number;
  readonly connections: number;
  readonly authenticates: boolean;
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Health checks reveal nothing that needs a login, and the files of the dashboard are public. */
function isOpen(pathname: string, method: string): boolean {
  return (
    openPaths.has(pathname) ||
    pathname.startsWith('/assets/') ||
    // A login begins there; its end is a change by the session.
    (pathname === '/api/v1/session' && method !== 'DELETE')
  );
}

const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/']);
const noLogin: AdminLogin = { user: null, access: noAccess, login: undefined };

/** Starts to listen. Rejects with the system's error (EADDRINUSE, EACCES, …) if it cannot. */
export async function listenAdminHttp<Context>(options: AdminHttpOptions<Context>): Promise<AdminHttp> {
  const { token, metricsToken, users = new Users(), hall, sessions = new Sessions() } = options;
  const door = { token, metricsToken, users, hall, sessions };
  const frontend = new HttpFrontend({
    name: adminProtocol,
    authenticates: needsLogin(door),
    hall: options.hall,
    handle: (request) => answer(request, options, door),
    refusal: (error, request) => refusal(error, request, options),
    limits: { connectionsMax: options.connectionsMax },
    tls: options.tls,
    isApart: true,
  });
  const listener = Listener.for((socket) => frontend.accept(socket));
  const { port } = await listener.listen(options);
  return {
    port,
    authenticates: frontend.authenticates,
    get connections() {
      return frontend.connections;
    },
    close: async ({ graceMs }) => {
      const closed = listener.close();
      await frontend.close({ graceMs });
      await closed;
    },
  };
}

async function answer<Context>(
  request: HttpRequest,
  { host, routes, context, tls, basePath = '' }: AdminHttpOptions<Context>,
  door: AdminDoor,
): Promise<HttpReply> {
  checkOrigin(request.headers, {
    boundHost: host,
    // A page that reaches this server under a foreign name (DNS rebinding) has no token and no password. A
    // certificate would be sent by the browser itself.
    takesAnyName: needsLogin(door),
    scheme: tls === undefined ? 'http' : 'https',
  });
  const { pathname: given, searchParams } = request.url;
  // The page names its files and routes beside itself, which takes the slash.
  if (basePath !== '' && given === basePath)
    return { status: 308, headers: { ...headersOf('text/plain'), location: `${basePath}/` }, body: '' };
  const pathname = basePath !== '' && given.startsWith(`${basePath}/`) ? given.slice(basePath.length) : given;
  const login = isOpen(pathname, request.method) ? noLogin : await logIn(request, pathname, door);
  request.user = login.user;
  const { route, params } = findRoute(routes, request.method, pathname);
  const reply = await route.handle(
    {
      access: login.access,
      params,
      query: searchParams,
      headers: request.headers,
      raw: request,
      json: () => readJson(request),
      get signal() {
        return request.signal;
      },
    },
    context,
  );
  const { status = 200 } = reply;
  if (reply.kind === 'raw') return { status, headers: { ...reply.headers }, body: reply.body };
  return reply.kind === 'json'
    ? { status, headers: { ...headersOf(jsonType), ...reply.headers }, body: jsonLine(reply.body) }
    : { status, headers: headersOf(reply.type), body: reply.body };
}

const jsonType = 'application/json; charset=utf-8';

function headersOf(type: string): { [name: string]: string } {
  return { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}

/** The JSON as one line, in pieces. */
function* jsonLine(body: object): Generator<string> {
  let last: string | undefined;
  for (const piece of jsonPieces(body)) {
    if (last !== undefined) yield last;
    last = piece;
  }
  yield `${last}\n`;
}

function refusal(
  error: unknown,
  request: HttpRequest | undefined,
  { onError }: Pick<AdminHttpOptions<never>, 'onError'>,
): HttpReply {
  const { status, headers, body } = describeError(error);
  if (status === 500) onError(error, request === undefined ? '' : `${request.method} ${request.target}`);
  return {
    status,
    headers: { ...headersOf(jsonType), ...headers },
    body: `${JSON.stringify(body satisfies ErrorJson)}\n`,
  };
}

/** A deeper body takes long to parse: 8 MiB of brackets some 0.5 s. */
const bodyDepthMax = 10_000;

async function readJson(request: HttpRequest): Promise<unknown> {
  const body = await request.bytes();
  if (body.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\b/i.test(type))
    throw new HttpError(415, 'not-json', 'Send the body as JSON with "Content-Type: application/json".');
  if (nestsDeeper(body, bodyDepthMax))
    throw invalidRequest(`The body is nested deeper than ${bodyDepthMax} levels.`);
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    throw invalidRequest('The body is not valid JSON.');
  }
}
