import type { Attributes, Broker } from '../../broker/index.ts';
import {
  parseDigest,
  parseVerifier,
  verifierText,
  type Password,
  type User,
  type Users,
} from '../users/index.ts';
import { storedVhosts } from './vhosts/vhost-name.ts';
import { rulesOf, type VhostPermissions } from './vhost-permissions.ts';

/** A user that a client of the management API has made. */
export interface KeptUser {
  readonly name: string;
  /** Undefined: it cannot log in by password. */
  readonly password: Password | undefined;
  readonly tags: readonly string[];
  /** By virtual host; in one that is not here it may do nothing. */
  readonly permissions: VhostPermissions;
}

/** A user as it is stored: an attribute named after it. */
interface StoredUser {
  readonly verifier?: string;
  readonly digest?: { readonly algorithm: string; readonly text: string };
  readonly tags: readonly string[];
  readonly permissions: VhostPermissions;
}

/** The name under which the broker keeps these users, and their source in the table of users. */
const userAttributes = 'amqp-users';
const source = 'amqp';
/** The protocols by which they may log in; the management API is one with AMQP. */
const doors: ReadonlySet<string> = new Set(['amqp']);

/** The users that clients of the management API have made, kept durably among the broker's attributes. */
export class KeptUsers {
  readonly #attributes: Attributes;
  readonly #users: Users;

  constructor({ attributes }: Pick<Broker, 'attributes'>, users: Users) {
    this.#attributes = attributes;
    this.#users = users;
  }

  get(name: string): KeptUser | undefined {
    const stored = this.#attributes.get(userAttributes, name) as StoredUser | undefined;
    return (
      stored && { name, password: passwordOf(stored), tags: stored.tags, permissions: stored.permissions }
    );
  }

  /** All of them, by name. */
  all(): KeptUser[] {
    return [...this.#attributes.names(userAttributes)].toSorted().map((name) => this.get(name)!);
  }

  /** Applies at once, and resolves when it is durable. Rejects with a BrokerError if there is no room. */
  async set({ name, password, tags, permissions }: KeptUser): Promise<void> {
    const stored: StoredUser = {
      ...(password?.kind === 'verifier' && storedPassword(password)),
      tags,
      permissions,
    };
    const isDurable = this.#attributes.set(userAttributes, name, stored);
    this.restore();
    await isDurable;
  }

  /** Applies at once, and resolves when it is durable. */
  async delete(name: string): Promise<void> {
    const isDurable = this.#attributes.set(userAttributes, name, undefined);
    this.restore();
    await isDurable;
  }

  /** Adds them to the table of users; to be called, too, when a virtual host has come. */
  restore(): void {
    const vhosts = [...storedVhosts(this.#attributes)];
    this.#users.keep(
      source,
      this.all().map((user) => userOf(user, vhosts)),
    );
  }

  /** A virtual host is gone: so are the permissions in it. */
  async forgetVirtualHost(vhost: string): Promise<void> {
    const changed = this.all().filter(({ permissions }) => Object.hasOwn(permissions, vhost));
    const gone = changed.map((user) => {
      const left = Object.entries(user.permissions).filter(([name]) => name !== vhost);
      return this.set({ ...user, permissions: Object.fromEntries(left) });
    });
    this.restore();
    await Promise.all(gone);
  }
}

/** Adds the users that the broker keeps for AMQP to the table of users. */
export function restoreUsers(broker: Broker, users: Users): void {
  new KeptUsers(broker, users).restore();
}

function passwordOf({ verifier, digest }: StoredUser): Password | undefined {
  const parsed = verifier === undefined ? undefined : parseVerifier(verifier);
  if (parsed) return { kind: 'verifier', verifier: parsed };
  const known = digest && parseDigest(digest.algorithm, digest.text);
  return known && { kind: 'verifier', verifier: {}, digest: known };
}

function storedPassword({ verifier, digest }: Password & { kind: 'verifier' }): Partial<StoredUser> {
  return digest ? { digest } : { verifier: verifierText(verifier) };
}

function userOf({ name, password, permissions }: KeptUser, vhosts: readonly string[]): User {
  return {
    name,
    credentials: password ? { password } : {},
    permissions: rulesOf(permissions, vhosts),
    protocols: doors,
  };
}
