import type { Random } from '../../util/index.ts';
import type { Login, ScramHash, Users } from '../users/index.ts';
import { authenticationFailed, type SaslMechanism, type SaslStep } from './sasl.ts';
import { ScramExchange } from './scram.ts';

/** The mechanisms that SaslHandshake offers. */
export const saslMechanisms: readonly string[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

const scramHashOf: { readonly [mechanism: string]: ScramHash } = {
  'SCRAM-SHA-256': 'sha256',
  'SCRAM-SHA-512': 'sha512',
};

/** Starts a login; undefined if there is no such mechanism, or if clients need not log in. */
export function beginSasl(users: Users, mechanism: string, random: Random): SaslMechanism | undefined {
  if (!users.requires('kafka')) return undefined;
  if (mechanism === 'PLAIN') return new PlainLogin(users);
  const hash = scramHashOf[mechanism];
  return hash === undefined ? undefined : new ScramExchange(hash, users, random);
}

/** `message = authzid? NUL authcid NUL passwd` (RFC 4616). */
class PlainLogin implements SaslMechanism {
  readonly #users: Users;

  constructor(users: Users) {
    this.#users = users;
  }

  proves(token: Uint8Array): string {
    return Buffer.from(token).toString('utf8').split('\0')[1] ?? '';
  }

  step(token: Uint8Array): SaslStep | Promise<SaslStep> {
    const parts = Buffer.from(token).toString('utf8').split('\0');
    const [authorizeAs = '', user = '', password = ''] = parts;
    if (parts.length !== 3 || (authorizeAs !== '' && authorizeAs !== user)) throw authenticationFailed();
    const login = this.#users.logIn('kafka', { kind: 'password', user, password });
    return login instanceof Promise ? login.then(stepOf) : stepOf(login);
  }
}

function stepOf(login: Login | undefined): SaslStep {
  if (login === undefined) throw authenticationFailed();
  return { bytes: new Uint8Array(0), login };
}
