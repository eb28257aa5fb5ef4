import {
  Operation,
  Pattern,
  Permission,
  Resource,
  everyOperation,
  operationsOf,
  wildcard,
  type Acl,
} from './acl.ts';
import { PatternIndex } from './pattern-index.ts';

/** Operations that are allowed and denied, as bits. */
export interface Verdict {
  readonly allowed: number;
  readonly denied: number;
}

/** The rights of a principal apart from ACLs. */
export interface BaseRights {
  verdict(resourceType: number, name: string): Verdict;
  /** Whether the operation is allowed on some resource of the type. */
  allowsSome(operation: number, resourceType: number): boolean;
}

/** The operations for longer names are not cached. */
const keptNameCharactersMax = 256;
const keptNamesMax = 10_000;

/**
 * The rights of a principal decide which operations it may do on which resources, as in Kafka's
 * StandardAuthorizer: a denial takes precedence over any permission, and an operation that nothing allows is
 * denied.
 */
export class Rights {
  readonly #index = new Map<number, PatternIndex<Verdict>>();
  readonly #base: BaseRights | undefined;
  readonly #isOpen: ((resourceType: number, name: string) => boolean) | undefined;
  /** Allowed operations by resource type and name. */
  readonly #known = new Map<number, Map<string, number>>();
  readonly #knownOfSome = new Map<number, boolean>();

  /**
   * `acls`: those of the principal and its host. `isOpen`: whether everything is allowed on a resource that
   * no ACL covers.
   */
  constructor(
    acls: Iterable<Acl>,
    base?: BaseRights,
    isOpen?: (resourceType: number, name: string) => boolean,
  ) {
    this.#base = base;
    this.#isOpen = isOpen;
    for (const acl of acls) this.#add(acl);
  }

  #add(acl: Acl): void {
    const { resourceType, patternType, resourceName } = acl;
    let index = this.#index.get(resourceType);
    if (index === undefined) this.#index.set(resourceType, (index = new PatternIndex()));
    const { allowed, denied } = index.get(patternType, resourceName) ?? nothing;
    const bits = operationsOf(acl);
    const isAllowed = acl.permission === Permission.allow;
    index.set(
      patternType,
      resourceName,
      isAllowed ? { allowed: allowed | bits, denied } : { allowed, denied: denied | bits },
    );
  }

  may(operation: number, resourceType: number, name: string): boolean {
    return (this.operations(resourceType, name) & (1 << operation)) !== 0;
  }

  /** The operations that are allowed on a resource, as bits. */
  operations(resourceType: number, name: string): number {
    let known = this.#known.get(resourceType);
    if (known === undefined) this.#known.set(resourceType, (known = new Map<string, number>()));
    const kept = known.get(name);
    if (kept !== undefined) return kept;
    const operations = this.#judge(resourceType, name);
    // The meaning of an escaped name depends on the existing topics.
    if (name.length <= keptNameCharactersMax && !name.startsWith('escaped')) {
      if (known.size >= keptNamesMax) known.clear();
      known.set(name, operations);
    }
    return operations;
  }

  #judge(resourceType: number, name: string): number {
    let { allowed, denied } = this.#base?.verdict(resourceType, name) ?? nothing;
    this.#index.get(resourceType)?.visit(name, (verdict) => {
      allowed |= verdict.allowed;
      denied |= verdict.denied;
    });
    if ((allowed | denied) === 0 && this.#isOpen?.(resourceType, name) === true) return everyOperation;
    return allowed & ~denied;
  }

  /** Whether the operation is allowed on any resource of the type (KIP-679). */
  maySome(operation: number, resourceType: number): boolean {
    const key = (resourceType << 8) | operation;
    const kept = this.#knownOfSome.get(key);
    if (kept !== undefined) return kept;
    const some = this.#judgeSome(1 << operation, operation, resourceType);
    this.#knownOfSome.set(key, some);
    return some;
  }

  #judgeSome(bit: number, operation: number, resourceType: number): boolean {
    const index = this.#index.get(resourceType);
    const all = index?.get(Pattern.literal, wildcard) ?? nothing;
    if ((all.denied & bit) !== 0) return false;
    if ((all.allowed & bit) !== 0 || this.#base?.allowsSome(operation, resourceType) === true) return true;
    if (this.#isOpen?.(resourceType, wildcard) === true) return true;
    if (index === undefined) return false;
    for (const [patternType, name, { allowed }] of index.entries()) {
      if ((allowed & bit) === 0) continue;
      let denied = 0;
      // A prefix covers more names than a literal can deny.
      index.visit(
        patternType === Pattern.prefixed ? `${name}\0` : name,
        (verdict) => (denied |= verdict.denied),
      );
      if ((denied & bit) === 0) return true;
    }
    return false;
  }

  /** Whether the principal may describe the topic. */
  sees(name: string): boolean {
    return this.mayTopic(Operation.describe, name);
  }

  mayTopic(operation: number, name: string): boolean {
    return this.may(operation, Resource.topic, name);
  }

  mayGroup(operation: number, groupId: string): boolean {
    return this.may(operation, Resource.group, groupId);
  }

  mayTransactionalId(operation: number, transactionalId: string): boolean {
    return this.may(operation, Resource.transactionalId, transactionalId);
  }

  mayCluster(operation: number): boolean {
    return this.may(operation, Resource.cluster, 'kafka-cluster');
  }

  /** "Idempotent producers need IDEMPOTENT_WRITE, or WRITE on some topic" (KIP-679). */
  get mayWriteIdempotently(): boolean {
    return this.mayCluster(Operation.idempotentWrite) || this.maySome(Operation.write, Resource.topic);
  }
}

const nothing: Verdict = { allowed: 0, denied: 0 };

class FullRights extends Rights {
  override may(): boolean {
    return true;
  }

  override operations(): number {
    return everyOperation;
  }

  override maySome(): boolean {
    return true;
  }

  override mayTopic(): boolean {
    return true;
  }
}

/** The rights of all clients of an open broker, of super users, and of users without restrictions. */
export const fullRights: Rights = new FullRights([]);
/** The rights of a connection that has not logged in. */
export const noRights: Rights = new Rights([]);
