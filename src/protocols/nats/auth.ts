import { sameText } from '../../util/index.ts';
import type { ConnectOptions } from '../../wire/nats/index.ts';

/** Who may connect. */
export type NatsAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'users'; readonly users: readonly NatsUser[] };

export interface NatsUser {
  readonly user: string;
  readonly password: string;
}

/**
 * Whether CONNECT brings what is asked for. Compares hashes, all of them, so that the time it takes says
 * nothing.
 */
export function isAuthorized(auth: NatsAuth, options: ConnectOptions): boolean {
  if (auth.kind === 'none') return true;
  if (auth.kind === 'token') return sameText(auth.token, options.auth_token ?? '');
  let known = false;
  for (const { user, password } of auth.users) {
    const sameUser = sameText(user, options.user ?? '');
    const samePassword = sameText(password, options.pass ?? '');
    if (sameUser && samePassword) known = true;
  }
  return known;
}

/** Under which name failed logins are counted: tokens have none. */
export function claimedUser(auth: NatsAuth, options: ConnectOptions): string {
  return auth.kind === 'users' ? (options.user ?? '') : 'NATS token';
}
