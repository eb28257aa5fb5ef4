import { provesOwnPage, type Session, type Sessions, cookieName, readCookie } from './sessions.ts';
import {
  type Access,
  certificateNames,
  fullAccess,
  type Hall,
  HttpError,
  type HttpRequest,
  type Login,
  type Users,
} from '../../protocols/index.ts';
import { sameText } from '../../util/index.ts';

/** The name of the admin HTTP in the `protocols` of users. */
export const adminProtocol = 'admin';
/** Wrong tokens are counted under this name, because a token alone identifies its user. */
const tokenUser = 'admin token';

/** The credentials that the admin HTTP accepts. */
export interface AdminDoor {
  /** A token that may do everything, without being a particular user. */
  readonly token: string | undefined;
  /** A token that may read the metrics and nothing else. */
  readonly metricsToken?: string | undefined;
  readonly users: Users;
  readonly hall: Hall;
  /** Of browsers. */
  readonly sessions: Sessions;
}

/** The user of a request, and its access. */
export interface AdminLogin {
  /** Null: no particular user. */
  readonly user: string | null;
  readonly access: Access;
  /** Undefined: no user of the table. */
  readonly login: Login | undefined;
}

const anyone: AdminLogin = { user: null, access: fullAccess, login: undefined };

export type Given =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'password'; readonly user: string; readonly password: string };

/** Whether a request has to log in. */
export function needsLogin({ token, users }: AdminDoor): boolean {
  return token !== undefined || users.requires(adminProtocol);
}

/**
 * Logs a request in: by the admin token or the token of a user (`Bearer`), by a user's name and password
 * (`Basic`), or without these by the session of a browser or by the client's certificate. Rejects with an
 * HttpError: 401, 403 if a change by a session does not come from a page of this server, or 429 if too many
 * requests wait. `pathname` is the path without what a proxy has put in front of it.
 */
export async function logIn(request: HttpRequest, pathname: string, door: AdminDoor): Promise<AdminLogin> {
  if (!needsLogin(door)) return anyone;
  const given = givenBy(request.headers.authorization ?? '');
  if (given) return checkGiven(given, request, door, request.method === 'GET' && pathname === '/metrics');
  const session = sessionOf(request, door);
  if (session) return loginBySession(session, request);
  const login = await loginByCertificate(request, door);
  if (login) return login;
  throw notAuthorised(request, door);
}

/**
 * Checks what was given. After wrong guesses it waits before its own guess is checked. The metrics token is a
 * token for a request that reads the metrics only, and a wrong one for all others.
 */
export async function checkGiven(
  given: Given,
  request: HttpRequest,
  door: AdminDoor,
  readsMetrics: boolean = false,
): Promise<AdminLogin> {
  const { logins, clock } = door.hall;
  const { address } = request;
  const name = given.kind === 'token' ? tokenUser : given.user;
  const waitMs = logins.admit(address, name);
  if (waitMs === undefined)
    throw new HttpError(
      429,
      'too-many-logins',
      'Too many wrong passwords or tokens came from this address; try again later.',
      { 'retry-after': '10' },
    );
  if (waitMs > 0) await new Promise<void>((resolve) => clock.setTimer(waitMs, resolve));
  // The guess of a client that has disconnected is not checked.
  const login = request.isGone ? undefined : await loginBy(given, door, readsMetrics);
  if (!login) {
    if (!request.isGone) logins.failed(address, name);
    throw notAuthorised(request, door);
  }
  logins.succeeded(address, name);
  return login;
}

/** The token in the cookie of a browser. */
export function tokenOf({ headers, socket }: HttpRequest): string | undefined {
  return readCookie(headers.cookie, cookieName(socket.localPort ?? 0));
}

/** The session of a browser. */
export function sessionOf(request: HttpRequest, { sessions, users }: AdminDoor): Session | undefined {
  const token = tokenOf(request);
  return token === undefined ? undefined : sessions.find(token, users, Date.now());
}

/** Sent by the dashboard with every request. */
const csrfHeader = 'x-pillarbox-csrf';

function loginBySession(session: Session, { method, headers }: HttpRequest): AdminLogin {
  const isLook = method === 'GET' || method === 'HEAD';
  if (!isLook && !provesOwnPage(session, headers[csrfHeader]))
    throw new HttpError(
      403,
      'csrf-token-wrong',
      'A change by a session needs its "X-Pillarbox-Csrf"; load the page again.',
    );
  const { user, login } = session;
  return { user, access: login?.access ?? fullAccess, login };
}

async function loginBy(
  given: Given,
  { token, metricsToken, users }: AdminDoor,
  readsMetrics: boolean,
): Promise<AdminLogin | undefined> {
  if (
    readsMetrics &&
    given.kind === 'token' &&
    metricsToken !== undefined &&
    sameText(metricsToken, given.token)
  )
    return anyone;
  if (given.kind === 'token' && token !== undefined && sameText(token, given.token)) return anyone;
  const login = await users.logIn(adminProtocol, given);
  return login && { user: login.user?.name ?? null, access: login.access, login };
}

/** TLS has verified the certificate, or has not asked for one. */
async function loginByCertificate(
  { socket }: HttpRequest,
  { users }: AdminDoor,
): Promise<AdminLogin | undefined> {
  const names = certificateNames(socket);
  if (names.length === 0) return undefined;
  const login = await users.logIn(adminProtocol, { kind: 'certificate', names });
  return login && { user: login.user?.name ?? null, access: login.access, login };
}

/** `Bearer TOKEN`, or `Basic` with `USER:PASSWORD` in base64 (RFC 7617). */
function givenBy(authorization: string): Given | undefined {
  const [, scheme = '', text = ''] = /^(Bearer|Basic) +(.+)$/i.exec(authorization) ?? [];
  if (text === '') return undefined;
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', token: text };
  const pair = Buffer.from(text, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0
    ? undefined
    : { kind: 'password', user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

function notAuthorised({ headers }: HttpRequest, { token, users }: AdminDoor): HttpError {
  const hasUsers = users.requires(adminProtocol);
  const ways = [
    ...(token === undefined ? [] : ['"Authorization: Bearer" with the admin token']),
    ...(hasUsers
      ? ['"Authorization: Basic" with name and password of a user, or "Bearer" with the token of one']
      : []),
  ];
  const message = `Send ${ways.join(', or ')}.`;
  // The dashboard has a form of its own; a browser would ask for a password in front of it.
  if (headers[csrfHeader] !== undefined) return new HttpError(401, 'not-authorised', message);
  return new HttpError(401, 'not-authorised', message, {
    'www-authenticate': hasUsers ? 'Basic realm="pillarbox", charset="UTF-8", Bearer' : 'Bearer',
  });
}
