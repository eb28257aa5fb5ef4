/** `AclOperation`: the bits of authorized operations. */
const Operation = {
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
} as const;

function bitsOf(...operations: readonly number[]): number {
  return operations.reduce((bits, operation) => bits | (1 << operation), 0);
}

const { read, write, create, alter, describe, describeConfigs, alterConfigs } = Operation;

/**
 * What a client may do, as those are told that ask: there are no permissions by resource, so a client that is
 * let in may do all there is.
 */
export const authorizedOperations: { readonly [R in 'cluster' | 'topic' | 'group']: number } = {
  cluster: bitsOf(
    create,
    alter,
    describe,
    Operation.clusterAction,
    describeConfigs,
    alterConfigs,
    Operation.idempotentWrite,
  ),
  topic: bitsOf(read, write, create, Operation.delete, alter, describe, describeConfigs, alterConfigs),
  group: bitsOf(read, Operation.delete, describe, describeConfigs, alterConfigs),
};
