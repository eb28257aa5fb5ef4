import { matchesTopic, topicActions, type TopicAction, type TopicPermissions } from '../../users/index.ts';
import { Operation, Resource, bitsOf, everyOperation, withImplied } from './acl.ts';
import type { BaseRights, Verdict } from './rights.ts';

/** The Kafka operations of each permission by topic. */
const topicOperations: { readonly [A in TopicAction]: number } = {
  publish: bitsOf(Operation.write),
  consume: bitsOf(Operation.read),
  manage: bitsOf(Operation.create, Operation.alter, Operation.delete, Operation.alterConfigs),
};

const groupOperations = bitsOf(
  Operation.read,
  Operation.describe,
  Operation.delete,
  Operation.describeConfigs,
  Operation.alterConfigs,
);
const nothing: Verdict = { allowed: 0, denied: 0 };

/**
 * The rights that result from a user's permissions by topic: operations on topics; all groups if the user may
 * consume; all transactional ids, and idempotent producers, if the user may publish.
 */
export class ConfiguredRights implements BaseRights {
  readonly #permissions: TopicPermissions;
  readonly #topicNameOf: (shownName: string) => string;

  /** `topicNameOf`: the broker's name of a topic, from the name that Kafka clients see. */
  constructor(permissions: TopicPermissions, topicNameOf: (shownName: string) => string) {
    this.#permissions = permissions;
    this.#topicNameOf = topicNameOf;
  }

  verdict(resourceType: number, name: string): Verdict {
    switch (resourceType) {
      case Resource.topic:
        return this.#topicVerdict(this.#topicNameOf(name));
      case Resource.group:
        return this.#has('consume') ? { allowed: groupOperations, denied: 0 } : nothing;
      case Resource.transactionalId:
        return this.#has('publish') ? { allowed: everyOperation, denied: 0 } : nothing;
      default:
        return nothing;
    }
  }

  #topicVerdict(name: string): Verdict {
    let allowed = 0;
    let denied = 0;
    for (const action of topicActions) {
      const rules = this.#permissions[action];
      if (rules === undefined) continue;
      if (rules.deny?.some((pattern) => matchesTopic(pattern, name))) denied |= topicOperations[action];
      else if (rules.allow?.some((pattern) => matchesTopic(pattern, name)) ?? true)
        allowed |= topicOperations[action];
    }
    return { allowed: withImplied(allowed), denied };
  }

  allowsSome(operation: number, resourceType: number): boolean {
    if (resourceType !== Resource.topic)
      return (this.verdict(resourceType, '').allowed & (1 << operation)) !== 0;
    return topicActions.some(
      (action) => this.#has(action) && (withImplied(topicOperations[action]) & (1 << operation)) !== 0,
    );
  }

  #has(action: TopicAction): boolean {
    const rules = this.#permissions[action];
    return rules !== undefined && (rules.allow === undefined || rules.allow.length > 0);
  }
}
