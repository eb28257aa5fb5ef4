import type { Hall } from '../connections/index.ts';
import type { HttpRequest } from '../http/index.ts';
import { certificateNames, type Login, type Proof, type Users } from '../users/index.ts';
import type { KeptUsers } from '../amqp/index.ts';
import { checkManager, guest, tagsOfAccess, type Caller } from './caller.ts';
import { ApiError } from './errors.ts';

/** The users of the management API are those of AMQP. */
const protocol = 'amqp';

/** What a login needs of the server. */
export interface LoginHost {
  readonly users: Users;
  readonly kept: KeptUsers;
  readonly hall: Pick<Hall, 'logins' | 'clock'>;
}

/**
 * Logs a request in, by name and password (`Basic`) or by the client's certificate. After wrong guesses a
 * request waits before its own guess is checked. Rejects with an ApiError.
 */
export async function logIn(request: HttpRequest, host: LoginHost): Promise<Caller> {
  const { users, hall } = host;
  const proof = proofOf(request);
  const name = proof?.kind === 'password' ? proof.user : '';
  if (!users.requires(protocol)) return openCaller(name === '' ? guest : name, users);
  if (proof === undefined) throw notAuthenticated();
  const { logins, clock } = hall;
  const waitMs = logins.admit(request.address, name);
  if (waitMs === undefined) throw notAuthenticated({ 'retry-after': '10' });
  if (waitMs > 0) await new Promise<void>((resolve) => void clock.setTimer(waitMs, resolve));
  // The guess of a client that has disconnected is not checked.
  if (request.isGone) throw notAuthenticated();
  const login: Login | undefined = await users.logIn(protocol, proof);
  if (login === undefined) {
    logins.failed(request.address, name);
    throw notAuthenticated();
  }
  logins.succeeded(request.address, name);
  const caller = callerOf(login, host);
  checkManager(caller);
  return caller;
}

/** Without users in the configuration, everybody may do everything. */
function openCaller(userName: string, users: Users): Caller {
  const { access } = users.openLogin(protocol);
  return { userName, access, tags: tagsOfAccess(access) };
}

function callerOf({ user, access }: Login, { users, kept }: LoginHost): Caller {
  const userName = user?.name ?? guest;
  const keptUser = users.isConfigured(userName) ? undefined : kept.get(userName);
  return { userName, access, tags: keptUser?.tags ?? tagsOfAccess(access) };
}

function proofOf({ headers, socket }: HttpRequest): Proof | undefined {
  const given = passwordOf(headers.authorization ?? '');
  if (given) return given;
  const names = certificateNames(socket);
  return names.length > 0 ? { kind: 'certificate', names } : undefined;
}

/** `Basic` with `USER:PASSWORD` in base64 (RFC 7617). */
function passwordOf(authorization: string): Proof | undefined {
  const [, text] = /^Basic +(\S+)$/i.exec(authorization) ?? [];
  if (text === undefined) return undefined;
  const pair = Buffer.from(text, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  return { kind: 'password', user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

function notAuthenticated(headers: { readonly [name: string]: string } = {}): ApiError {
  return new ApiError(401, 'not_authorized', 'Not_Authorized', {
    'www-authenticate': 'Basic realm="RabbitMQ Management"',
    ...headers,
  });
}
