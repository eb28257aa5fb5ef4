import type { Grant, TopicAction } from '../../users/index.ts';
import { topicActions } from '../../users/index.ts';
import { Operation, Pattern, Permission, Resource, bitsOf, wildcard, type Acl } from './acl.ts';

/**
 * The Kafka operations of each action on topics. The action is allowed if all of them are, and denied if one
 * of them is.
 */
const needs: { readonly [A in TopicAction]: number } = {
  publish: bitsOf(Operation.write),
  consume: bitsOf(Operation.read),
  manage: bitsOf(Operation.create, Operation.alter, Operation.delete, Operation.alterConfigs),
};
const userPrefix = 'User:';
/** Names of topics that Kafka clients see unescaped. */
const plainName = /^(?!escaped)[a-zA-Z0-9._-]+$/;

/**
 * Converts ACLs on topics to permissions for the users of all protocols.
 *
 * Other protocols do not distinguish hosts: an ACL for one host allows nothing there, but its denial applies
 * to all hosts. `manage` is allowed if CREATE, ALTER, DELETE and ALTER_CONFIGS are allowed for the same
 * pattern.
 */
export function grantsOf(acls: Iterable<Acl>): Grant[] {
  const allowed = new Map<string, { readonly user: string; readonly pattern: string; operations: number }>();
  const denied = new Map<string, { readonly user: string; readonly pattern: string; operations: number }>();
  for (const acl of acls) {
    const pattern = patternOf(acl);
    const isAllowed = acl.permission === Permission.allow;
    if (pattern === undefined || !acl.principal.startsWith(userPrefix)) continue;
    if (isAllowed && acl.host !== wildcard) continue;
    const user = acl.principal.slice(userPrefix.length);
    const key = JSON.stringify([user, pattern]);
    const map = isAllowed ? allowed : denied;
    const known = map.get(key) ?? { user, pattern, operations: 0 };
    known.operations |= acl.operation === Operation.all ? -1 : 1 << acl.operation;
    map.set(key, known);
  }
  const grants: Grant[] = [];
  for (const action of topicActions) {
    for (const { user, pattern, operations } of allowed.values())
      if ((operations & needs[action]) === needs[action])
        grants.push({ user, effect: 'allow', action, pattern });
    for (const { user, pattern, operations } of denied.values())
      if ((operations & needs[action]) !== 0) grants.push({ user, effect: 'deny', action, pattern });
  }
  return grants;
}

/**
 * The pattern in the form of permissions; undefined if it is not for topics, or if other protocols know the
 * topic under another name.
 */
function patternOf({ resourceType, resourceName, patternType }: Acl): string | undefined {
  if (resourceType !== Resource.topic) return undefined;
  if (patternType === Pattern.literal && resourceName === wildcard) return wildcard;
  if (!plainName.test(resourceName)) return undefined;
  return patternType === Pattern.prefixed ? `${resourceName}*` : resourceName;
}
