/** The causes of dead letters, and whether a group, the topic or either decides about each. */
export const deadLetterCauses = {
  /** A consumer rejected it. */
  rejected: 'group',
  /** It was delivered `maxDeliver` times and failed each time. */
  'max-deliveries': 'group',
  /** A limit of its topic removed it: `messagesMax`, `bytesMax`, `messagesPerKeyMax` or compaction. */
  overflow: 'topic',
  /**
   * Its time to live was over: it grew older than its topic or its publish allows (`ageMsMax`, `ttlMs`),
   * which the topic decides, or older than a group wants (`messageTtlMs`), which the group decides.
   */
  expired: 'both',
  /** It was deleted, purged, or replaced by a publish that asked for it. */
  removed: 'topic',
} as const;

export type DeadLetterCause = keyof typeof deadLetterCauses;
/** Causes that a group decides about. */
export type GroupDeadLetterCause = 'rejected' | 'max-deliveries' | 'expired';

/** Limits of a dead-letter topic. They apply when its first dead letter creates the topic. */
export interface DeadLetterLimits {
  readonly messagesMax?: number;
  readonly bytesMax?: number;
  readonly ageMsMax?: number;
  /** What happens to a dead letter beyond the limits. Default `drop-oldest`. */
  readonly overflow?: 'drop-oldest' | 'reject';
}

/**
 * A route that a protocol registered, which selects the topics for each dead letter. See
 * `Broker.addDeadLetterRoute`.
 */
export interface NamedDeadLetterRoute {
  readonly route: string;
}

/**
 * A dead-letter policy says for which causes messages become dead letters, and which topics get them.
 *
 * A group's policy covers messages that the group gives up. The topic's policy covers the causes that the
 * group's does not, and messages that leave the topic by themselves.
 */
export interface DeadLetterPolicy<C extends DeadLetterCause = DeadLetterCause> {
  /** A topic, several topics (in one commit), or a route. Default: `deadLetterName` of topic and group. */
  readonly to?: string | readonly string[] | NamedDeadLetterRoute;
  /** Default of a group: all of its causes. A topic has to name its causes. */
  readonly causes?: readonly C[];
  /** Default: `bytesMax` of the origin, but at least 1 GiB; the oldest dead letters are dropped first. */
  readonly limits?: DeadLetterLimits;
}

/**
 * A topic's policy names its causes. Causes of groups apply to groups whose own policy does not cover them.
 */
export interface TopicDeadLetterPolicy extends DeadLetterPolicy {
  readonly causes: readonly DeadLetterCause[];
}

/** The minimum room of a dead-letter topic, unless its policy says otherwise. */
export const deadLetterBytesDefault: number = 1024 ** 3;
const destinationsMax = 16;
/** The longest name that all protocols accept. */
const nameBytesMax = 249;

/** The default name of the dead-letter topic of a topic, or of one of its groups. */
export function deadLetterName(topic: string, group?: string): string {
  const suffix = '-dlq';
  let stem = group === undefined ? topic : `${topic}-${group}`;
  if (Buffer.byteLength(stem + suffix) <= nameBytesMax) return stem + suffix;
  // The hash of the whole name keeps shortened names apart.
  let hash = 0x811c9dc5;
  for (let i = 0; i < stem.length; i++) hash = Math.imul(hash ^ stem.charCodeAt(i), 0x01000193);
  const end = `-${(hash >>> 0).toString(36)}${suffix}`;
  while (Buffer.byteLength(stem + end) > nameBytesMax)
    stem = stem.slice(0, -1).replace(/[\uD800-\uDBFF]$/, '');
  return stem + end;
}

/**
 * The problem of a policy; undefined if it is valid. `owner`: the topic of the policy, or the kind of its
 * group.
 */
export function problemOfPolicy(
  policy: DeadLetterPolicy,
  owner: { readonly kind: 'group' } | { readonly kind: 'topic'; readonly name: string },
): string | undefined {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy))
    return 'deadLetter must be a policy { to, causes, limits }';
  for (const name of Object.keys(policy))
    if (name !== 'to' && name !== 'causes' && name !== 'limits')
      return `deadLetter has no "${name}", only to, causes and limits`;
  return (
    problemOfTo(policy.to, owner) ?? problemOfCauses(policy.causes, owner) ?? problemOfLimits(policy.limits)
  );
}

function problemOfTo(
  to: DeadLetterPolicy['to'],
  owner: { readonly kind: string; readonly name?: string },
): string | undefined {
  if (to === undefined) return undefined;
  if (typeof to === 'object' && to !== null && 'route' in to)
    return typeof to.route === 'string' && to.route !== ''
      ? undefined
      : 'deadLetter.to.route must be the name of a route';
  const names: readonly unknown[] = Array.isArray(to) ? to : [to];
  if (names.length === 0 || names.length > destinationsMax)
    return `deadLetter.to must name 1 to ${destinationsMax} topics, or a route`;
  for (const name of names) {
    if (typeof name !== 'string' || name === '' || name.length > 255)
      return 'deadLetter.to must be the name of a topic, a list of names, or { route }';
    if (name === owner.name) return 'a topic cannot be its own dead-letter topic';
  }
  return undefined;
}

function problemOfCauses(
  causes: DeadLetterPolicy['causes'],
  { kind }: { readonly kind: 'group' | 'topic' },
): string | undefined {
  if (causes === undefined)
    return kind === 'group' ? undefined : `deadLetter.causes must name causes: ${namesOfCauses('topic')}`;
  if (!Array.isArray(causes) || causes.length === 0)
    return `deadLetter.causes must be a list of ${namesOfCauses(kind)}`;
  for (const cause of causes as readonly string[]) {
    if (!Object.hasOwn(deadLetterCauses, cause))
      return `"${cause}" is no cause of dead letters; there are ${namesOfCauses(kind)}`;
    if (kind === 'group' && deadLetterCauses[cause as DeadLetterCause] === 'topic')
      return `a group gives nothing up for the cause "${cause}": name it in the topic's deadLetter`;
  }
  return undefined;
}

function namesOfCauses(kind: 'group' | 'topic'): string {
  const names = Object.keys(deadLetterCauses) as DeadLetterCause[];
  return names.filter((name) => kind === 'topic' || deadLetterCauses[name] !== 'topic').join(', ');
}

function problemOfLimits(limits: DeadLetterLimits | undefined): string | undefined {
  if (limits === undefined) return undefined;
  if (typeof limits !== 'object' || limits === null) return 'deadLetter.limits must be an object';
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (name === 'overflow') {
      if (value !== 'drop-oldest' && value !== 'reject')
        return 'deadLetter.limits.overflow must be one of drop-oldest, reject';
    } else if (name !== 'messagesMax' && name !== 'bytesMax' && name !== 'ageMsMax')
      return `deadLetter.limits has no "${name}", only messagesMax, bytesMax, ageMsMax and overflow`;
    else if (!(Number.isFinite(value) && (value as number) > 0))
      return `deadLetter.limits.${name} must be a number greater than 0, or absent`;
  }
  return undefined;
}
