import type { Access } from './access.ts';
import type { User } from './user.ts';

/** What a client brings to prove that it acts for a user. */
export type Proof =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  /** A public key whose owner has signed what it was given to sign. */
  | { readonly kind: 'nkey'; readonly key: string }
  /** Names in a certificate that TLS has verified, in the order in which they are looked for. */
  | { readonly kind: 'certificate'; readonly names: readonly string[] };

/** A login is what a connection has of its user: who it is, by which credential, and what it may do. */
export interface Login {
  readonly protocol: string;
  /** Undefined: no login is asked for at this protocol. */
  readonly user: User | undefined;
  readonly access: Access;
  /** The credential that proved it; `scram` proves a password without showing it. `none`: no proof was needed. */
  readonly by: Proof['kind'] | 'scram' | 'none';
  /** The nkey, or the name in the certificate; else ''. */
  readonly key: string;
}
