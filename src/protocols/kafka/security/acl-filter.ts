import { Operation, Pattern, Permission, Resource, wildcard, type Acl } from './acl.ts';

/** A filter for ACLs; null and `any` match everything. */
export interface AclFilter {
  readonly resourceType: number;
  readonly resourceName: string | null;
  readonly patternType: number;
  readonly principal: string | null;
  readonly host: string | null;
  readonly operation: number;
  readonly permission: number;
}

/** Whether Kafka knows every value in the filter. */
export function isKnownFilter(filter: AclFilter): boolean {
  return (
    isWithin(filter.resourceType, Resource.any, Resource.user) &&
    isWithin(filter.patternType, Pattern.any, Pattern.prefixed) &&
    isWithin(filter.operation, Operation.any, Operation.twoPhaseCommit) &&
    isWithin(filter.permission, Permission.any, Permission.allow)
  );
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

export function matchesFilter(filter: AclFilter, acl: Acl): boolean {
  return (
    (filter.resourceType === Resource.any || filter.resourceType === acl.resourceType) &&
    (filter.operation === Operation.any || filter.operation === acl.operation) &&
    (filter.permission === Permission.any || filter.permission === acl.permission) &&
    (filter.principal === null || filter.principal === acl.principal) &&
    (filter.host === null || filter.host === acl.host) &&
    matchesPattern(filter, acl)
  );
}

function matchesPattern({ patternType, resourceName }: AclFilter, acl: Acl): boolean {
  const isExact = patternType !== Pattern.any && patternType !== Pattern.match;
  if (isExact && patternType !== acl.patternType) return false;
  if (resourceName === null || resourceName === acl.resourceName) return true;
  if (patternType !== Pattern.match) return false;
  return acl.patternType === Pattern.prefixed
    ? resourceName.startsWith(acl.resourceName)
    : acl.resourceName === wildcard;
}
