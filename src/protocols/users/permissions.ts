/** Names or patterns that are allowed and denied. A denied name is denied even if it is also allowed. */
export interface Rules {
  /** Undefined: all names. */
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

/** The actions on a topic. */
export const topicActions = ['publish', 'consume', 'manage'] as const;
export type TopicAction = (typeof topicActions)[number];

/**
 * The permissions of a user for topics. Patterns are names (`orders`), beginnings (`orders-*`) or `*`; an
 * action that is left out is allowed for no topic.
 */
export type TopicPermissions = { readonly [A in TopicAction]?: Rules | undefined };

/** The permissions of a NATS client for subjects, as in nats-server. Patterns are those of subscriptions. */
export interface NatsPermissions {
  /** Undefined: all subjects. */
  readonly publish?: Rules | undefined;
  /** Undefined: all subjects. A pattern of subjects may be followed by a blank and a pattern of queues. */
  readonly subscribe?: Rules | undefined;
  readonly allowResponses?: ResponsePermission | undefined;
}

/** Permission to answer requests that the client has received. */
export interface ResponsePermission {
  /** The number of answers to one request; 0 = no limit. */
  readonly max: number;
  /** The time for the answers after the request; 0 = no limit. */
  readonly expiresMs: number;
}

/** The meaning of `true`, as in nats-server. */
export const defaultResponses: ResponsePermission = { max: 1, expiresMs: 120_000 };

/** Whether the rules allow a topic. */
export function allowsTopic(rules: Rules | undefined, name: string): boolean {
  if (rules === undefined) return false;
  const { allow, deny } = rules;
  if (deny?.some((pattern) => matchesTopic(pattern, name))) return false;
  return allow === undefined || allow.some((pattern) => matchesTopic(pattern, name));
}

/** Whether the rules may allow some topic whose name begins so. */
export function allowsBelow(rules: Rules | undefined, prefix: string): boolean {
  if (rules === undefined) return false;
  const { allow, deny } = rules;
  const isAll = (pattern: string): boolean =>
    pattern.endsWith('*') && prefix.startsWith(pattern.slice(0, -1));
  if (deny?.some(isAll)) return false;
  return allow === undefined || allow.some((pattern) => isAll(pattern) || pattern.startsWith(prefix));
}

/** Whether a pattern is the name, a beginning of it followed by `*`, or `*`. */
export function matchesTopic(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
