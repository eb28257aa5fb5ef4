/** `ResourceType` of ACLs, as Kafka numbers them. */
export const Resource = {
  any: 1,
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
} as const;

/**
 * `PatternType`. A filter may also have `any`, or `match`, which stands for every pattern that covers the
 * name.
 */
export const Pattern = { any: 1, match: 2, literal: 3, prefixed: 4 } as const;

/** `AclOperation`. */
export const Operation = {
  any: 1,
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
  createTokens: 13,
  describeTokens: 14,
  twoPhaseCommit: 15,
} as const;

/** `AclPermissionType`. */
export const Permission = { any: 1, deny: 2, allow: 3 } as const;

/** As the name of a resource or a host, this stands for all of them. */
export const wildcard = '*';
/** The only name of a cluster resource. */
export const clusterName = 'kafka-cluster';

/** The resources that can have ACLs here, each with its operations. */
export const operationsOn: { readonly [resourceType: number]: number } = {
  [Resource.topic]: bitsOf(
    Operation.read,
    Operation.write,
    Operation.create,
    Operation.describe,
    Operation.delete,
    Operation.alter,
    Operation.describeConfigs,
    Operation.alterConfigs,
  ),
  [Resource.group]: bitsOf(
    Operation.read,
    Operation.describe,
    Operation.delete,
    Operation.describeConfigs,
    Operation.alterConfigs,
  ),
  [Resource.cluster]: bitsOf(
    Operation.create,
    Operation.clusterAction,
    Operation.describeConfigs,
    Operation.alterConfigs,
    Operation.idempotentWrite,
    Operation.alter,
    Operation.describe,
  ),
  [Resource.transactionalId]: bitsOf(Operation.describe, Operation.write, Operation.twoPhaseCommit),
};

/** Operations as the bits of one number: 1 << operation. */
export function bitsOf(...operations: readonly number[]): number {
  return operations.reduce((bits, operation) => bits | (1 << operation), 0);
}

/** All operations on any resource. */
export const everyOperation: number = Object.values(operationsOn).reduce((all, bits) => all | bits, 0);

/**
 * An access control entry allows or denies a principal one operation on the resources that a pattern covers,
 * from one host or from all hosts.
 */
export interface Acl {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly patternType: number;
  /** `User:name`, or `User:*` for all users. */
  readonly principal: string;
  /** An IP address, or `*`. */
  readonly host: string;
  readonly operation: number;
  readonly permission: number;
}

/** A text that is the same for equal entries; {@link aclOfText} parses it. */
export function textOfAcl(acl: Acl): string {
  const { resourceType, patternType, resourceName, principal, host, operation, permission } = acl;
  return JSON.stringify([resourceType, patternType, resourceName, principal, host, operation, permission]);
}

export function aclOfText(text: string): Acl {
  const [resourceType, patternType, resourceName, principal, host, operation, permission] = JSON.parse(
    text,
  ) as [number, number, string, string, string, number, number];
  return { resourceType, patternType, resourceName, principal, host, operation, permission };
}

/** "ALLOW of READ, WRITE, DELETE or ALTER implies DESCRIBE." */
const impliesDescribe = bitsOf(Operation.read, Operation.write, Operation.delete, Operation.alter);

/** Adds the operations that the allowed ones imply; a denial implies nothing. */
export function withImplied(allowed: number): number {
  let bits = allowed;
  if ((bits & impliesDescribe) !== 0) bits |= 1 << Operation.describe;
  if ((bits & (1 << Operation.alterConfigs)) !== 0) bits |= 1 << Operation.describeConfigs;
  return bits;
}

/** The operations of an entry, as bits, including the ones it implies. */
export function operationsOf({ operation, permission }: Acl): number {
  if (operation === Operation.all) return everyOperation;
  const bits = 1 << operation;
  return permission === Permission.allow ? withImplied(bits) : bits;
}
