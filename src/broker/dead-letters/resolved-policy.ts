import type { Group, Topic } from '../model.ts';
import {
  deadLetterCauses,
  deadLetterName,
  type DeadLetterCause,
  type DeadLetterLimits,
  type DeadLetterPolicy,
  type GroupDeadLetterCause,
  type NamedDeadLetterRoute,
} from './dead-letter-policy.ts';

/** A policy with the default name filled in. */
export interface ResolvedPolicy {
  readonly to: readonly string[] | NamedDeadLetterRoute;
  readonly limits: DeadLetterLimits | undefined;
}

/** The policy for messages that a group gives up for that cause: the group's own, or else its topic's. */
export function policyOfGroup(group: Group, cause: GroupDeadLetterCause): ResolvedPolicy | undefined {
  const { deadLetter } = group.config;
  if (typeof deadLetter === 'string') return { to: [deadLetter], limits: undefined };
  if (deadLetter && (deadLetter.causes?.includes(cause) ?? true))
    return resolved(deadLetter, deadLetterName(group.topic.name, group.name));
  return policyOfTopic(group.topic, cause);
}

/** The policy for messages that leave a topic for that cause. */
export function policyOfTopic({ config }: Topic, cause: DeadLetterCause): ResolvedPolicy | undefined {
  const { deadLetter, name } = config;
  return deadLetter?.causes.includes(cause) ? resolved(deadLetter, deadLetterName(name)) : undefined;
}

function resolved({ to, limits }: DeadLetterPolicy, name: string): ResolvedPolicy {
  if (to === undefined) return { to: [name], limits };
  return { to: typeof to === 'string' ? [to] : to, limits };
}

/** The names of the topics that get the dead letters of a group, if its policies name topics. */
export function deadLetterNames(group: Group): readonly string[] {
  const names = new Set<string>();
  for (const cause of ['rejected', 'max-deliveries', 'expired'] as const) {
    const to = policyOfGroup(group, cause)?.to ?? [];
    if (!('route' in to)) for (const name of to) names.add(name);
  }
  return [...names];
}

/**
 * The names of the topics that get the messages that leave a topic by themselves, if its policy names topics.
 */
export function topicDeadLetterNames(topic: Topic): readonly string[] {
  const causes = topic.config.deadLetter?.causes ?? [];
  const cause = causes.find((name) => deadLetterCauses[name] !== 'group');
  const to = cause === undefined ? [] : (policyOfTopic(topic, cause)?.to ?? []);
  return 'route' in to ? [] : to;
}
