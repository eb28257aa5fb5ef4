import type { ConnectOptions } from '../../wire/nats/index.ts';
import type { Login, Proof } from '../users/index.ts';
import { ClosingError, ErrorText } from './errors.ts';
import { hasSigned } from './nkey-login.ts';
import type { SessionHost } from './session-host.ts';

/** The client that logs in. */
export interface LoginClient {
  readonly address: string;
  /** The nonce that the client was given to sign; undefined: none. */
  readonly nonce: string | undefined;
  /** The names in the certificate of the client. */
  readonly certificateNames: readonly string[];
}

/**
 * The login for a CONNECT. It is returned at once, unless a password must wait for its turn with the throttle
 * or has to be derived.
 *
 * Throws, or rejects with, a ClosingError: Authorization Violation, or Authentication Timeout if too many
 * logins wait already.
 */
export function logIn(
  host: SessionHost,
  client: LoginClient,
  options: ConnectOptions,
): Login | Promise<Login> {
  const { users, logins, clock } = host;
  if (!users.requires('nats')) return users.openLogin('nats');
  const proof = proofOf(client, options);
  if (proof === undefined) {
    const anonymous = users.anonymousLogin('nats');
    if (anonymous) return anonymous;
  }
  const user = claimedUser(proof);
  const waitMs = logins.admit(client.address, user);
  if (waitMs === undefined) throw new ClosingError(ErrorText.authenticationTimeout);
  if (waitMs === 0) return prove(host, client, proof, options.sig);
  return new Promise((resolve, reject) => {
    clock.setTimer(waitMs, () => {
      try {
        resolve(prove(host, client, proof, options.sig));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function prove(
  { users, logins }: SessionHost,
  { address, nonce }: LoginClient,
  proof: Proof | undefined,
  signature = '',
): Login | Promise<Login> {
  const user = claimedUser(proof);
  const finish = (login: Login | undefined): Login => {
    if (login) logins.succeeded(address, user);
    else logins.failed(address, user);
    if (!login) throw new ClosingError(ErrorText.authorizationViolation);
    return login;
  };
  const isSigned = proof?.kind !== 'nkey' || (nonce !== undefined && hasSigned(proof.key, nonce, signature));
  const login = proof && isSigned ? users.logIn('nats', proof) : undefined;
  return login instanceof Promise ? login.then(finish) : finish(login);
}

/**
 * The proof of the client: the credentials in CONNECT, otherwise its certificate; undefined: none. Empty
 * texts count as absent, as in nats-server.
 */
function proofOf(
  { certificateNames }: LoginClient,
  { user, pass, auth_token: token, nkey, jwt }: ConnectOptions,
): Proof | undefined {
  // There are no operators here that could have signed a JWT.
  if (jwt) return { kind: 'nkey', key: '' };
  if (nkey) return { kind: 'nkey', key: nkey };
  if (user || pass) return { kind: 'password', user: user ?? '', password: pass ?? '' };
  if (token) return { kind: 'token', token };
  return certificateNames.length > 0 ? { kind: 'certificate', names: certificateNames } : undefined;
}

/** The name under which failed logins are counted: only passwords have a user name. */
function claimedUser(proof: Proof | undefined): string {
  if (proof === undefined) return '';
  return proof.kind === 'password' ? proof.user : `NATS ${proof.kind}`;
}
