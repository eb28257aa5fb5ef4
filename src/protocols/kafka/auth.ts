import { sameText, type Random } from '../../util/index.ts';
import { authenticationFailed, type KafkaUser, type SaslMechanism, type SaslStep } from './sasl.ts';
import { ScramExchange, type ScramHash } from './scram.ts';

/** Who may connect. */
export type KafkaAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'users'; readonly users: readonly KafkaUser[] };

/** What SaslHandshake offers. */
export const saslMechanisms: readonly string[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

const scramHashes: { readonly [mechanism: string]: ScramHash } = {
  'SCRAM-SHA-256': 'sha256',
  'SCRAM-SHA-512': 'sha512',
};

/** Begins a login; undefined: there is no such mechanism, or nobody has to log in. */
export function beginSasl(auth: KafkaAuth, mechanism: string, random: Random): SaslMechanism | undefined {
  if (auth.kind === 'none') return undefined;
  if (mechanism === 'PLAIN') return new PlainLogin(auth.users);
  const hash = scramHashes[mechanism];
  return hash === undefined ? undefined : new ScramExchange(hash, auth.users, random);
}

/** `message = authzid? NUL authcid NUL passwd` (RFC 4616). */
class PlainLogin implements SaslMechanism {
  readonly #users: readonly KafkaUser[];

  constructor(users: readonly KafkaUser[]) {
    this.#users = users;
  }

  proves(token: Uint8Array): string {
    return Buffer.from(token).toString('utf8').split('\0')[1] ?? '';
  }

  step(token: Uint8Array): SaslStep {
    const parts = Buffer.from(token).toString('utf8').split('\0');
    const [authorizeAs = '', user = '', password = ''] = parts;
    if (parts.length !== 3 || (authorizeAs !== '' && authorizeAs !== user)) throw authenticationFailed();
    // All are compared, by their hashes, so that the time it takes says nothing.
    let known = false;
    for (const one of this.#users) {
      const isUser = sameText(one.user, user);
      const isPassword = sameText(one.password, password);
      if (isUser && isPassword) known = true;
    }
    if (!known) throw authenticationFailed();
    return { bytes: new Uint8Array(0), user };
  }
}
