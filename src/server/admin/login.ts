import {
  type Access,
  certificateNames,
  fullAccess,
  type Hall,
  HttpError,
  type HttpRequest,
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
}

/** The user of a request, and its access. */
export interface AdminLogin {
  /** Null: no particular user. */
  readonly user: string | null;
  readonly access: Access;
}

const anyone: AdminLogin = { user: null, access: fullAccess };

type Given =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'password'; readonly user: string; readonly password: string };

/** Whether a request has to log in. */
export function needsLogin({ token, users }: AdminDoor): boolean {
  return token !== undefined || users.requires(adminProtocol);
}

/**
 * Logs a request in: by the admin token or the token of a user (`Bearer`), by a user's name and password
 * (`Basic`), or without these by the client's certificate. After wrong guesses a request waits before its own
 * guess is checked. Rejects with an HttpError: 401, or 429 if too many requests wait.
 */
export async function logIn(request: HttpRequest, door: AdminDoor): Promise<AdminLogin> {
  if (!needsLogin(door)) return anyone;
  const given = givenBy(request.headers.authorization ?? '');
  if (!given) {
    const login = await loginByCertificate(request, door);
    if (login) return login;
    throw notAuthorised(door);
  }
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
  const login = request.isGone ? undefined : await loginBy(given, door, readsMetrics(request));
  if (!login) {
    if (!request.isGone) logins.failed(address, name);
    throw notAuthorised(door);
  }
  logins.succeeded(address, name);
  return login;
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
  return login && { user: login.user?.name ?? null, access: login.access };
}

/** The metrics token is a token for this request only, and a wrong one for all others. */
function readsMetrics({ method, target }: HttpRequest): boolean {
  return method === 'GET' && target.split('?', 1)[0] === '/metrics';
}

/** TLS has verified the certificate, or has not asked for one. */
async function loginByCertificate(
  { socket }: HttpRequest,
  { users }: AdminDoor,
): Promise<AdminLogin | undefined> {
  const names = certificateNames(socket);
  if (names.length === 0) return undefined;
  const login = await users.logIn(adminProtocol, { kind: 'certificate', names });
  return login && { user: login.user?.name ?? null, access: login.access };
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

function notAuthorised({ token, users }: AdminDoor): HttpError {
  const hasUsers = users.requires(adminProtocol);
  const ways = [
    ...(token === undefined ? [] : ['"Authorization: Bearer" with the admin token']),
    ...(hasUsers
      ? ['"Authorization: Basic" with name and password of a user, or "Bearer" with the token of one']
      : []),
  ];
  return new HttpError(401, 'not-authorised', `Send ${ways.join(', or ')}.`, {
    'www-authenticate': hasUsers ? 'Basic realm="pillarbox", charset="UTF-8", Bearer' : 'Bearer',
  });
}
