import type { PasswordDigest } from './password-digest.ts';
import type { PasswordVerifier } from './password-verifier.ts';
import type { NatsPermissions, TopicPermissions } from './permissions.ts';

/**
 * A user is the identity that clients log in as: a name, the credentials that prove it, and its permissions.
 */
export interface User {
  readonly name: string;
  readonly credentials: Credentials;
  /** Undefined: every topic. */
  readonly permissions: TopicPermissions | undefined;
  /** Permissions for live subjects of NATS; undefined: only those for topics apply. */
  readonly nats?: NatsPermissions | undefined;
  /** The protocols, including `admin`, that the user may log in by; undefined: all. */
  readonly protocols?: ReadonlySet<string> | undefined;
  /** The protocol at which clients without credentials act as this user: `nats-no-auth-user`. */
  readonly anonymousAt?: string | undefined;
}

/** The credentials of a user. Any one of them proves that a client acts for the user. */
export interface Credentials {
  readonly password?: Password | undefined;
  readonly token?: string | undefined;
  /** Public keys in the form of NATS: `U…`. */
  readonly nkeys?: readonly string[] | undefined;
  /** Subjects in the form of RFC 2253, or alternative names, of client certificates. */
  readonly certificates?: readonly string[] | undefined;
  /** Keys in the form of Amazon's, with which SQS clients sign. */
  readonly accessKeys?: readonly AccessKey[] | undefined;
}

/**
 * An access key is an id that requests name, and a secret that signs them. The secret itself is needed to
 * verify a signature, so that it cannot be kept as a verifier.
 */
export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

/** A password as written in the configuration: in plain text, or as a verifier. */
export type Password =
  | { readonly kind: 'plain'; readonly text: string }
  | {
      readonly kind: 'verifier';
      readonly verifier: PasswordVerifier;
      /** Of a user that came from RabbitMQ: the verifier is empty then. */
      readonly digest?: PasswordDigest;
    };

/** A user with all permissions at one protocol: settings such as `nats-user` are a shorthand for it. */
export function userWithPassword(protocol: string, name: string, text: string): User {
  const credentials: Credentials = { password: { kind: 'plain', text } };
  return { name, credentials, permissions: undefined, protocols: new Set([protocol]) };
}

/** The same with an access key, whose id is the name of the user. */
export function userWithAccessKey(protocol: string, id: string, secret: string): User {
  const credentials: Credentials = { accessKeys: [{ id, secret }] };
  return { name: id, credentials, permissions: undefined, protocols: new Set([protocol]) };
}

/** Whether clients of a protocol may log in as the user. */
export function mayUseProtocol({ protocols }: User, protocol: string): boolean {
  return protocols === undefined || protocols.has(protocol);
}
