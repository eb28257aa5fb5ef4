/** Why a message becomes a dead letter. */
export const deadLetterCauses = {
  /** A consumer rejected it. */
  rejected: 'group',
  /** It was delivered `maxDeliver` times and failed each time. */
  'max-deliveries': 'group',
  /** A limit of its topic pushed it out: `messagesMax`, `bytesMax`, `messagesPerKeyMax` or compaction. */
  overflow: 'topic',
  /** It grew older than its topic allows (`ageMsMax`). */
  expired: 'topic',
  /** It was deleted, purged, or replaced by a publish that asks for that. */
  removed: 'topic',
} as const;

export type DeadLetterCause = keyof typeof deadLetterCauses;
/** Causes that a group decides about; the others are those of its topic. */
export type GroupDeadLetterCause = 'rejected' | 'max-deliveries';

/** Limits of a dead-letter topic. They apply when the topic is made by its first dead letter. */
export interface DeadLetterLimits {
  readonly messagesMax?: number;
  readonly bytesMax?: number;
  readonly ageMsMax?: number;
  /** What one dead letter more than fits meets. Default `drop-oldest`. */
  readonly overflow?: 'drop-oldest' | 'reject';
}

/**
 * A rule that a protocol brings and that says at each dead letter where it goes. See
 * `Broker.addDeadLetterRoute`.
 */
export interface NamedDeadLetterRoute {
  readonly route: string;
}

/**
 * A dead-letter policy says where messages go that a group gives up or a topic drops, and for which causes.
 *
 * A group's policy covers what the group gives up. What it does not cover, and what leaves the topic by
 * itself, the topic's policy covers.
 */
export interface DeadLetterPolicy<C extends DeadLetterCause = DeadLetterCause> {
  /** A topic, several topics (in one commit), or a route. Default: `deadLetterName` of topic and group. */
  readonly to?: string | readonly string[] | NamedDeadLetterRoute;
  /** A group's default: both of its causes. A topic has to name its causes. */
  readonly causes?: readonly C[];
  /** Default: `bytesMax` as the origin's, and at least 1 GiB, where the oldest dead letters go first. */
  readonly limits?: DeadLetterLimits;
}

/**
 * A topic's policy names its causes. Those of groups are for groups that cover them with no policy of their
 * own.
 */
export interface TopicDeadLetterPolicy extends DeadLetterPolicy {
  readonly causes: readonly DeadLetterCause[];
}

/** A dead-letter topic has at least so much room, unless its policy says otherwise. */
export const deadLetterBytesDefault: number = 1024 ** 3;
const destinationsMax = 16;
/** The longest name that every protocol takes. */
const nameBytesMax = 249;

/** The dead-letter topic of a topic, or of a group of it, where none is named. */
export function deadLetterName(topic: string, group?: string): string {
  const suffix = '-dlq';
  let stem = group === undefined ? topic : `${topic}-${group}`;
  if (Buffer.byteLength(stem + suffix) <= nameBytesMax) return stem + suffix;
  // What is cut off still tells names apart.
  let hash = 0x811c9dc5;
  for (let i = 0; i < stem.length; i++) hash = Math.imul(hash ^ stem.charCodeAt(i), 0x01000193);
  const end = `-${(hash >>> 0).toString(36)}${suffix}`;
  while (Buffer.byteLength(stem + end) > nameBytesMax)
    stem = stem.slice(0, -1).replace(/[\uD800-\uDBFF]$/, '');
  return stem + end;
}

/**
 * What is wrong with a policy; undefined when it is one. `owner`: the topic it is of, or the kind of its
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
  return names.filter((name) => kind === 'topic' || deadLetterCauses[name] === 'group').join(', ');
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
