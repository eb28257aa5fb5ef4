import { Operation, Resource, clusterName, operationsOn, type Rights } from './security/index.ts';

/** The operations that the client may do on a resource, as bits, for answers that include them on request. */
function authorizedOperations(rights: Rights, resourceType: number, name: string): number {
  return rights.operations(resourceType, name) & operationsOn[resourceType]!;
}

export function topicOperations(rights: Rights, name: string): number {
  return authorizedOperations(rights, Resource.topic, name);
}

export function groupOperations(rights: Rights, groupId: string): number {
  return authorizedOperations(rights, Resource.group, groupId);
}

/** Empty without DESCRIBE on the cluster. */
export function clusterOperations(rights: Rights): number {
  const operations = authorizedOperations(rights, Resource.cluster, clusterName);
  return (operations & (1 << Operation.describe)) === 0 ? 0 : operations;
}
