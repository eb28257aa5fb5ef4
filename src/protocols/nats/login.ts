import type { ConnectOptions } from '../../wire/nats/index.ts';
import type { Login, Proof } from '../users/index.ts';
import { ClosingError, ErrorText } from './errors.ts';
import type { SessionHost } from './session-host.ts';

/**
 * The login that CONNECT makes. At once where nothing has to wait: not the password for its turn with the
 * throttle, and not its derivation.
 *
 * Throws, or rejects with, a ClosingError: Authorization Violation, or Authentication Timeout where too many
 * logins wait already.
 */
export function logIn(host: SessionHost, address: string, options: ConnectOptions): Login | Promise<Login> {
  const { users, logins, clock } = host;
  if (!users.requires('nats')) return users.openLogin('nats');
  const waitMs = logins.admit(address, claimedUser(options));
  if (waitMs === undefined) throw new ClosingError(ErrorText.authenticationTimeout);
  if (waitMs === 0) return prove(host, address, options);
  return new Promise((resolve, reject) => {
    clock.setTimer(waitMs, () => {
      try {
        resolve(prove(host, address, options));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function prove(host: SessionHost, address: string, options: ConnectOptions): Login | Promise<Login> {
  const proof = proofOf(options);
  const user = claimedUser(options);
  const finish = (login: Login | undefined): Login => {
    if (login) host.logins.succeeded(address, user);
    else host.logins.failed(address, user);
    if (!login) throw new ClosingError(ErrorText.authorizationViolation);
    return login;
  };
  const login = proof && host.users.logIn('nats', proof);
  return login instanceof Promise ? login.then(finish) : finish(login);
}

/** What CONNECT brings to prove who it is; undefined: nothing. */
function proofOf({ user, pass, auth_token: token }: ConnectOptions): Proof | undefined {
  if (user !== undefined) return { kind: 'password', user, password: pass ?? '' };
  return token === undefined ? undefined : { kind: 'token', token };
}

/** Under which name failed logins are counted: tokens have none. */
function claimedUser({ user, auth_token: token }: ConnectOptions): string {
  return user ?? (token === undefined ? '' : 'NATS token');
}
