import type { PasswordVerifier } from './password-verifier.ts';
import type { NatsPermissions, TopicPermissions } from './permissions.ts';

/** A user is who clients log in as: a name, the credentials that prove it, and what it may do. */
export interface User {
  readonly name: string;
  readonly credentials: Credentials;
  /** Undefined: every topic. */
  readonly permissions: TopicPermissions | undefined;
  /** Live subjects of NATS; undefined: no restrictions beside those by topic. */
  readonly nats?: NatsPermissions | undefined;
  /** Names of the protocols that the user may log in by, `admin` among them; undefined: all. */
  readonly protocols?: ReadonlySet<string> | undefined;
  /** Clients of this protocol that bring no credentials act as the user: `nats-no-auth-user`. */
  readonly anonymousAt?: string | undefined;
}

/** What proves that a client acts for a user: any of these. */
export interface Credentials {
  readonly password?: Password | undefined;
  readonly token?: string | undefined;
  /** Public keys, as NATS writes them: `U…`. */
  readonly nkeys?: readonly string[] | undefined;
  /** Subjects, as RFC 2253 writes them, or alternative names of client certificates. */
  readonly certificates?: readonly string[] | undefined;
}

/** A password as the configuration has it: itself, or its verifier. */
export type Password =
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'verifier'; readonly verifier: PasswordVerifier };

/** A user with all permissions at one protocol: what settings such as `nats-user` stand for. */
export function userWithPassword(protocol: string, name: string, text: string): User {
  const credentials: Credentials = { password: { kind: 'plain', text } };
  return { name, credentials, permissions: undefined, protocols: new Set([protocol]) };
}

/** Whether clients of a protocol may log in as the user. */
export function mayUseProtocol({ protocols }: User, protocol: string): boolean {
  return protocols === undefined || protocols.has(protocol);
}
