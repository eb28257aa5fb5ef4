import { fullAccess, type Login, type User, type Users } from '../../users/index.ts';
import { wildcard, type Acl } from './acl.ts';
import type { Acls } from './acls.ts';
import { ConfiguredRights } from './configured-rights.ts';
import { fullRights, noRights, Rights, type BaseRights } from './rights.ts';

/** The sources and settings that decide about rights. */
export interface AuthorizerOptions {
  readonly acls: Acls;
  readonly users: Users;
  /** Kafka's `super.users`: principals that may do everything. */
  readonly superUsers: ReadonlySet<string>;
  /** Kafka's `allow.everyone.if.no.acl.found`. */
  readonly isOpenWithoutAcl: boolean;
  /** The broker's name of a topic, from the name that Kafka clients see. */
  readonly topicNameOf: (shownName: string) => string;
}

const everyone = 'User:*';
/** Number of principals with cached rights; when one more comes, all are dropped. */
const principalsMax = 1000;

/** The cached data of a principal, valid until ACLs change. */
interface KnownPrincipal {
  readonly base: BaseRights | undefined;
  readonly acls: readonly Acl[];
  /** Hosts that the principal's ACLs name; all other hosts have the same rights. */
  readonly hosts: ReadonlySet<string>;
  readonly rights: Map<string, Rights>;
}

/**
 * The authorizer decides about the rights of principals, by the permissions of users in the configuration and
 * by ACLs. Connections of one principal share their rights, unless ACLs distinguish their hosts.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #bases = new WeakMap<User, BaseRights>();
  readonly #known = new Map<string, KnownPrincipal>();
  #version = -1;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Rights are valid as long as this does not change. */
  get version(): number {
    return this.#options.acls.version;
  }

  /** The rights of a client; none if it still has to log in. */
  rightsOf(login: Login | undefined, host: string): Rights {
    const { superUsers, users } = this.#options;
    const user = login?.user;
    // If no login is required, every client may do everything.
    if (user === undefined) return users.requires('kafka') ? noRights : fullRights;
    // A user without restrictions is a super user.
    if (user.permissions === undefined || login?.access === fullAccess || superUsers.has(`User:${user.name}`))
      return fullRights;
    // Users that the broker keeps have only the rights of their ACLs.
    return this.#rightsOf(user.name, users.isConfigured(user.name) ? this.#baseOf(user) : undefined, host);
  }

  /**
   * The rights of a client that is named by its certificate: those of the user of that name, or only those of
   * ACLs.
   */
  rightsOfPrincipal(name: string, host: string): Rights {
    const { superUsers, users } = this.#options;
    const user = users.find('kafka', name);
    if (user !== undefined) return this.rightsOf(users.loginOf('kafka', user, 'certificate'), host);
    return superUsers.has(`User:${name}`) ? fullRights : this.#rightsOf(name, undefined, host);
  }

  #baseOf(user: User): BaseRights {
    let base = this.#bases.get(user);
    if (base === undefined) {
      base = new ConfiguredRights(user.permissions ?? {}, this.#options.topicNameOf);
      this.#bases.set(user, base);
    }
    return base;
  }

  #rightsOf(name: string, base: BaseRights | undefined, host: string): Rights {
    const { acls } = this.#options;
    if (this.#version !== acls.version || this.#known.size >= principalsMax) this.#known.clear();
    this.#version = acls.version;
    let known = this.#known.get(name);
    if (known === undefined || known.base !== base) {
      const found = [...acls.of(`User:${name}`), ...acls.of(everyone)];
      known = { base, acls: found, hosts: new Set(found.map((acl) => acl.host)), rights: new Map() };
      this.#known.set(name, known);
    }
    const from = known.hosts.has(host) ? host : wildcard;
    let rights = known.rights.get(from);
    if (rights === undefined) {
      const applying = known.acls.filter((acl) => acl.host === wildcard || acl.host === from);
      rights = new Rights(applying, base, this.#isOpen(base));
      known.rights.set(from, rights);
    }
    return rights;
  }

  #isOpen(base: BaseRights | undefined): ((resourceType: number, name: string) => boolean) | undefined {
    const { acls, isOpenWithoutAcl } = this.#options;
    if (!isOpenWithoutAcl || base !== undefined) return undefined;
    return (resourceType, name) => !acls.covers(resourceType, name);
  }
}
