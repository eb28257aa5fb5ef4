import { createHmac } from 'node:crypto';
import { SystemRandom, type Random } from '../../util/index.ts';
import { accessOf, fullAccess, type Access } from './access.ts';
import type { Login, Proof } from './login.ts';
import { PasswordChecks } from './password-checks.ts';
import { topicActions, type Rules, type TopicAction, type TopicPermissions } from './permissions.ts';
import { verifierText } from './password-verifier.ts';
import { mayUseProtocol, type Password, type User } from './user.ts';

/** A permission or denial for one user, in the form of ACLs. */
export interface Grant {
  /** The name of a user, or `*` for all. */
  readonly user: string;
  readonly effect: 'allow' | 'deny';
  readonly action: TopicAction;
  /** A topic name, a beginning (`orders-*`) or `*`. */
  readonly pattern: string;
}

/** Longer names are unknown. */
export const userNameCharactersMax = 256;

/**
 * The table of users, one for all protocols of a server.
 *
 * Users come from the configuration and, by `keep`, from protocols that manage their own users. A name may
 * exist once per protocol. The users of the configuration decide whether clients must log in.
 */
export class Users {
  readonly passwords: PasswordChecks;
  readonly #tokenKey: Uint8Array;
  readonly #sources = new Map<string, readonly User[]>();
  /** By source and user. */
  readonly #grants = new Map<string, ReadonlyMap<string, readonly Grant[]>>();
  readonly #listeners = new Set<() => void>();
  readonly #accesses = new Map<
    User,
    { readonly version: number; readonly text: string; readonly access: Access }
  >();
  #version = 0;
  readonly #required = new Map<string, boolean>();
  readonly #anonymous = new Map<string, User>();
  #hasNkeys = false;
  #byName = new Map<string, User[]>();
  #byKey = new Map<string, User[]>();
  #byAccessKey = new Map<string, { readonly user: User; readonly secret: string }[]>();

  constructor(configured: readonly User[] = [], random: Random = new SystemRandom()) {
    this.passwords = new PasswordChecks(random);
    this.#tokenKey = random.bytes(32);
    this.#sources.set(configuration, configured);
    this.#index();
  }

  /** Users of all sources. */
  all(): User[] {
    return [...this.#byName.values()].flat();
  }

  /** Whether clients of a protocol must log in. */
  requires(protocol: string): boolean {
    let requires = this.#required.get(protocol);
    if (requires === undefined)
      this.#required.set(
        protocol,
        (requires = this.#configured.some((user) => mayUseProtocol(user, protocol))),
      );
    return requires;
  }

  find(protocol: string, name: string): User | undefined {
    if (name.length > userNameCharactersMax) return undefined;
    return this.#byName.get(name)?.find((user) => mayUseProtocol(user, protocol));
  }

  /** Whether the user comes from the configuration: then no protocol may change it. */
  isConfigured(name: string): boolean {
    return this.#configured.some((user) => user.name === name);
  }

  /**
   * Returns the login that the proof gives, or undefined if the proof is wrong. Answers at once, unless a
   * password has to be derived.
   */
  logIn(protocol: string, proof: Proof): Login | undefined | Promise<Login | undefined> {
    if (proof.kind === 'password') return this.#logInByPassword(protocol, proof.user, proof.password);
    if (proof.kind === 'token') return this.#logInByKey(protocol, 'token', [proof.token]);
    if (proof.kind === 'nkey') return this.#logInByKey(protocol, 'nkey', [proof.key]);
    return this.#logInByKey(protocol, 'certificate', proof.names);
  }

  /**
   * The user of an access key, with the secret that must have signed. A user whose password is written in
   * plain text has its name as an access key, too. Undefined: there is no such key.
   */
  accessKey(protocol: string, id: string): { readonly user: User; readonly secret: string } | undefined {
    if (id.length > userNameCharactersMax) return undefined;
    const known = this.#byAccessKey.get(id)?.find(({ user }) => mayUseProtocol(user, protocol));
    if (known) return known;
    const user = this.find(protocol, id);
    const password = user?.credentials.password;
    return user && password?.kind === 'plain' ? { user, secret: password.text } : undefined;
  }

  /** The login of a user whose proof the protocol has checked itself. */
  loginOf(protocol: string, user: User, by: Login['by'], key = ''): Login {
    return { protocol, user, access: this.accessOf(user), by, key };
  }

  /**
   * The login of clients without credentials at a protocol that asks for a login; undefined: they are
   * refused.
   */
  anonymousLogin(protocol: string): Login | undefined {
    const user = this.#anonymous.get(protocol);
    return user && this.loginOf(protocol, user, 'none');
  }

  /** Whether a user has a public key. */
  get hasNkeys(): boolean {
    return this.#hasNkeys;
  }

  /** The login of clients at a protocol that asks for no login. */
  openLogin(protocol: string): Login {
    return { protocol, user: undefined, access: fullAccess, by: 'none', key: '' };
  }

  /** The access of a user: the same object for all its connections until its permissions change. */
  accessOf(user: User): Access {
    const known = this.#accesses.get(user);
    if (known?.version === this.#version) return known.access;
    const permissions = this.#permissionsOf(user);
    const text = JSON.stringify(permissions) ?? '';
    const access = known?.text === text ? known.access : accessOf(permissions);
    this.#accesses.set(user, { version: this.#version, text, access });
    return access;
  }

  // ---- changes

  /** Replaces the users of the configuration. */
  configure(users: readonly User[]): void {
    this.keep(configuration, users);
  }

  /**
   * Replaces the users that a protocol keeps. A user of the configuration wins over a user of the same name.
   */
  keep(source: string, users: readonly User[]): void {
    const before = new Map((this.#sources.get(source) ?? []).map((user) => [textOf(user), user]));
    // Unchanged users stay the same objects, so that their connections need no check.
    this.#sources.set(
      source,
      users.map((user) => before.get(textOf(user)) ?? user),
    );
    this.#changed();
  }

  /** Replaces the grants of a source. They are added to the permissions of users that have permissions. */
  grant(source: string, grants: readonly Grant[]): void {
    const byUser = new Map<string, Grant[]>();
    for (const grant of grants) {
      const known = byUser.get(grant.user);
      if (known) known.push(grant);
      else byUser.set(grant.user, [grant]);
    }
    this.#grants.set(source, byUser);
    this.#tell();
  }

  /** Calls back when users or permissions have changed: connections then call {@link renew}. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The login after a change: the same object if nothing has changed for it, undefined if the user is gone or
   * has lost the credential that proved it.
   */
  renew(login: Login): Login | undefined {
    const { protocol, user: before, by, key } = login;
    if (before === undefined) return this.requires(protocol) ? undefined : login;
    const user = this.find(protocol, before.name);
    if (user === undefined || !isStillProved(login, user)) return undefined;
    const access = this.accessOf(user);
    return user === before && access === login.access ? login : { protocol, user, access, by, key };
  }

  get #configured(): readonly User[] {
    return this.#sources.get(configuration)!;
  }

  #changed(): void {
    this.passwords.forget();
    this.#index();
    this.#tell();
  }

  #tell(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }

  #index(): void {
    this.#required.clear();
    this.#anonymous.clear();
    for (const user of this.#configured) if (user.anonymousAt) this.#anonymous.set(user.anonymousAt, user);
    this.#hasNkeys = this.#configured.some(({ credentials: { nkeys = [] } }) => nkeys.length > 0);
    this.#byName = new Map();
    this.#byKey = new Map();
    this.#byAccessKey = new Map();
    for (const users of this.#sources.values())
      for (const user of users) {
        const same = this.#byName.get(user.name) ?? [];
        // The configuration is the first source, so its users stay in front.
        this.#byName.set(user.name, [...same, user]);
        for (const key of this.#keysOf(user)) this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), user]);
        for (const { id, secret } of user.credentials.accessKeys ?? [])
          this.#byAccessKey.set(id, [...(this.#byAccessKey.get(id) ?? []), { user, secret }]);
      }
    const present = new Set(this.all());
    for (const user of this.#accesses.keys()) if (!present.has(user)) this.#accesses.delete(user);
  }

  *#keysOf({ credentials: { token, nkeys = [], certificates = [] } }: User): Iterable<string> {
    if (token !== undefined) yield this.#keyOf('token', token);
    for (const nkey of nkeys) yield this.#keyOf('nkey', nkey);
    for (const name of certificates) yield this.#keyOf('certificate', name);
  }

  /** A digest under a key of this process: the time of its look-up tells nothing about tokens. */
  #keyOf(kind: string, text: string): string {
    return createHmac('sha256', this.#tokenKey).update(`${kind}\0${text}`).digest('base64');
  }

  #logInByPassword(
    protocol: string,
    name: string,
    password: string,
  ): Login | undefined | Promise<Login | undefined> {
    const user = this.find(protocol, name);
    const isRight = this.passwords.check(user?.credentials.password, password);
    const finish = (isRight: boolean): Login | undefined => {
      // The table may have changed since the check began.
      if (!isRight || !user || this.find(protocol, name) !== user) return undefined;
      return this.loginOf(protocol, user, 'password');
    };
    return typeof isRight === 'boolean' ? finish(isRight) : isRight.then(finish);
  }

  #logInByKey(protocol: string, kind: Proof['kind'], keys: readonly string[]): Login | undefined {
    for (const key of keys) {
      const users = this.#byKey.get(this.#keyOf(kind, key));
      const user = users?.find((user) => mayUseProtocol(user, protocol));
      if (user) return this.loginOf(protocol, user, kind, kind === 'token' ? '' : key);
    }
    return undefined;
  }

  #permissionsOf({ name, permissions }: User): TopicPermissions | undefined {
    if (permissions === undefined) return undefined;
    const grants: Grant[] = [];
    for (const byUser of this.#grants.values())
      for (const user of [name, '*']) for (const grant of byUser.get(user) ?? []) grants.push(grant);
    return grants.length === 0 ? permissions : withGrants(permissions, grants);
  }
}

/** The source that always exists. */
const configuration = 'configuration';

function withGrants(permissions: TopicPermissions, grants: readonly Grant[]): TopicPermissions {
  const combined: { [A in TopicAction]?: Rules | undefined } = { ...permissions };
  for (const action of topicActions) {
    const patterns = (effect: Grant['effect']): string[] =>
      grants.flatMap((grant) => (grant.action === action && grant.effect === effect ? [grant.pattern] : []));
    const allowed = patterns('allow');
    const denied = patterns('deny');
    if (allowed.length + denied.length === 0) continue;
    const { allow, deny = [] }: Rules = permissions[action] ?? { allow: [] };
    combined[action] = { allow: allow && [...allow, ...allowed], deny: [...deny, ...denied] };
  }
  return combined;
}

function isStillProved({ protocol, by, key, user: before }: Login, now: User): boolean {
  const [old, current] = [before?.credentials ?? {}, now.credentials];
  switch (by) {
    case 'password':
    case 'scram':
      return passwordText(old.password) === passwordText(current.password);
    case 'token':
      return old.token === current.token;
    case 'nkey':
      return current.nkeys?.includes(key) === true;
    case 'certificate':
      return current.certificates?.includes(key) === true;
    case 'access-key':
      return current.accessKeys?.some(({ id }) => id === key) === true;
    default:
      return now.anonymousAt === protocol;
  }
}

/** The text of a user: two users with the same text are the same in all respects. */
function textOf(user: User): string {
  const { credentials, protocols } = user;
  const shown = {
    ...user,
    protocols: protocols && [...protocols],
    credentials: { ...credentials, password: passwordText(credentials.password) },
  };
  return JSON.stringify(shown);
}

function passwordText(password: Password | undefined): string | undefined {
  if (password === undefined) return undefined;
  if (password.kind === 'plain') return `plain ${password.text}`;
  const { verifier, digest } = password;
  return digest ? `${digest.algorithm} ${digest.text}` : verifierText(verifier);
}
