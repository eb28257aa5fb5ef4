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
} from '../../protocols/index.ts';
import { sameText } from '../../util/index.ts';
import { describeError, invalidRequest } from './errors.ts';
import type { JsonReply } from './reply.ts';

/** A request of the admin HTTP after routing. */
export interface AdminRequest {
  /** The `:names` of the path, decoded. */
  readonly params: { readonly [name: string]: string };
  readonly query: URLSearchParams;
  /** The body as JSON; undefined when it is empty. */
  readonly json: () => Promise<unknown>;
  /** Aborted when the client has gone or the server stops: for answers that wait. */
  readonly signal: AbortSignal;
}

/** An answer: JSON, or text of a type of its own. */
export type AdminReply =
  | JsonReply<object>
  | { readonly kind: 'text'; readonly status?: number; readonly type: string; readonly body: string };

/** One line of the table of routes. */
export interface Route<Context> extends PathRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
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

/** Under which name wrong tokens are counted. */
const tokenUser = 'admin token';
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** Listens; rejects with the system's error (EADDRINUSE, EACCES, …) when it cannot. */
export async function listenAdminHttp<Context>(options: AdminHttpOptions<Context>): Promise<AdminHttp> {
  const frontend = new HttpFrontend({
    name: 'admin',
    authenticates: options.token !== undefined,
    hall: options.hall,
    handle: (request) => answer(request, options),
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

async function answer<Context>(request: HttpRequest, options: AdminHttpOptions<Context>): Promise<HttpReply> {
  const { host, token, hall, routes, context, tls } = options;
  checkOrigin(request.headers, {
    boundHost: host,
    // A page that was led here does not have the token. A certificate the browser would send by itself.
    takesAnyName: token !== undefined,
    scheme: tls === undefined ? 'http' : 'https',
  });
  const { pathname, searchParams } = request.url;
  if (token !== undefined && !openPaths.has(pathname)) await checkToken(request, token, hall);
  const { route, params } = findRoute(routes, request.method, pathname);
  const reply = await route.handle(
    {
      params,
      query: searchParams,
      json: () => readJson(request),
      get signal() {
        return request.signal;
      },
    },
    context,
  );
  const { status = 200 } = reply;
  return reply.kind === 'json'
    ? { status, headers: headersOf(jsonType), body: jsonLine(reply.body) }
    : { status, headers: headersOf(reply.type), body: reply.body };
}

const jsonType = 'application/json; charset=utf-8';

function headersOf(type: string): { [name: string]: string } {
  return { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}

/** The JSON on a line, in pieces. */
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

/** Where the token may not be looked at yet, the request waits. */
async function checkToken(request: HttpRequest, token: string, { logins, clock }: Hall): Promise<void> {
  const [, given] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const { address } = request;
  if (given !== undefined) {
    const waitMs = logins.admit(address, tokenUser);
    if (waitMs === undefined)
      throw new HttpError(
        429,
        'too-many-logins',
        'Too many wrong tokens came from this address; try again later.',
        { 'retry-after': '10' },
      );
    if (waitMs > 0) await new Promise<void>((resolve) => clock.setTimer(waitMs, resolve));
    // A client that has left learns nothing, and its guess is not looked at.
    if (!request.isGone) {
      if (sameText(token, given)) return logins.succeeded(address, tokenUser);
      logins.failed(address, tokenUser);
    }
  }
  throw new HttpError(401, 'not-authorised', 'Send "Authorization: Bearer" with the admin token.', {
    'www-authenticate': 'Bearer',
  });
}

async function readJson(request: HttpRequest): Promise<unknown> {
  const body = await request.bytes();
  if (body.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\b/i.test(type))
    throw new HttpError(415, 'not-json', 'Send the body as JSON with "Content-Type: application/json".');
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    throw invalidRequest('The body is not valid JSON.');
  }
}
