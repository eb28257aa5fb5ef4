import type { Access } from './access.ts';
import type { User } from './user.ts';

/** The proof by which a client shows that it acts for a user. */
export type Proof =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  /** A public key. Its owner has signed the challenge of the server. */
  | { readonly kind: 'nkey'; readonly key: string }
  /** Names in a certificate that TLS has verified, in the order in which they are looked up. */
  | { readonly kind: 'certificate'; readonly names: readonly string[] };

/** A login is the result of a client's proof: the user, the credential that proved it, and the access. */
export interface Login {
  readonly protocol: string;
  /** Undefined: this protocol asks for no login. */
  readonly user: User | undefined;
  readonly access: Access;
  /**
   * The credential that proved the user. `scram` proves a password without showing it, `access-key` its
   * secret. `none`: no proof was needed.
   */
  readonly by: Proof['kind'] | 'scram' | 'access-key' | 'none';
  /** The nkey, the name in the certificate or the id of the access key; otherwise ''. */
  readonly key: string;
}
