import { ErrorCode } from '../../../wire/kafka/index.ts';
import { KafkaError } from '../errors.ts';
import { Operation, Pattern, Permission, Resource, clusterName, operationsOn, type Acl } from './acl.ts';

/** Throws a KafkaError INVALID_REQUEST if the entry is invalid. */
export function checkNewAcl({
  resourceType,
  resourceName,
  patternType,
  principal,
  host,
  operation,
  permission,
}: Acl): void {
  if (resourceType === Resource.cluster && resourceName !== clusterName)
    invalid(`The only valid name for the CLUSTER resource is ${clusterName}`);
  if (resourceName === '') invalid('Invalid empty resource name');
  if (operationsOn[resourceType] === undefined)
    invalid(
      `ACLs of resource type ${resourceType} are not supported: users and delegation tokens have none.`,
    );
  if (patternType !== Pattern.literal && patternType !== Pattern.prefixed)
    invalid(`Invalid patternType ${patternType}`);
  if (!(operation >= Operation.all && operation <= Operation.twoPhaseCommit))
    invalid(`Invalid operation ${operation}`);
  if (permission !== Permission.deny && permission !== Permission.allow)
    invalid(`Invalid permissionType ${permission}`);
  if (host === '') invalid('The host should not be empty');
  if (!/^[^:]+:./s.test(principal))
    invalid(`"${principal.slice(0, 256)}" is no principal, such as User:ann.`);
}

function invalid(problem: string): never {
  throw new KafkaError(ErrorCode.INVALID_REQUEST, problem);
}
