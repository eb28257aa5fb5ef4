/**
 * A policy gives arguments to queues and exchanges by their names, to those that are there and to new ones.
 */
export interface Policy {
  readonly vhost: string;
  readonly name: string;
  /** A regular expression over the names of queues and exchanges. */
  readonly pattern: string;
  readonly applyTo: PolicyTarget;
  /** Of several policies that match, the one of the highest priority holds alone. */
  readonly priority: number;
  readonly definition: PolicyDefinition;
}

export const policyTargets = [
  'all',
  'queues',
  'classic_queues',
  'quorum_queues',
  'streams',
  'exchanges',
] as const;
export type PolicyTarget = (typeof policyTargets)[number];

export interface PolicyDefinition {
  readonly [key: string]: string | number;
}

/** A queue or an exchange, as far as policies look at it. */
export interface PolicySubject {
  readonly vhost: string;
  readonly name: string;
  readonly kind: SubjectKind;
}

export type SubjectKind = 'classic' | 'quorum' | 'stream' | 'exchange';

/** Whether a policy may hold for this kind of subject, by its `apply-to` and by what it gives. */
export function isFor({ applyTo, definition }: Policy, kind: SubjectKind): boolean {
  return isTarget(applyTo, kind) && Object.keys(definition).every((key) => isApplicable(key, kind));
}

function isTarget(applyTo: PolicyTarget, kind: SubjectKind): boolean {
  switch (applyTo) {
    case 'all':
      return true;
    case 'queues':
      return kind !== 'exchange';
    case 'classic_queues':
      return kind === 'classic';
    case 'quorum_queues':
      return kind === 'quorum';
    case 'streams':
      return kind === 'stream';
    case 'exchanges':
      return kind === 'exchange';
    default:
      return applyTo satisfies never;
  }
}

/** What only streams have, and what queues have that streams lack. */
const ofStreams: ReadonlySet<string> = new Set([
  'max-age',
  'stream-max-segment-size-bytes',
  'stream-filter-size-bytes',
]);
const notOfStreams: ReadonlySet<string> = new Set([
  'message-ttl',
  'expires',
  'max-length',
  'max-in-memory-length',
  'max-in-memory-bytes',
  'delivery-limit',
  'overflow',
  'dead-letter-exchange',
  'dead-letter-routing-key',
  'dead-letter-strategy',
  'queue-mode',
]);

/** As in RabbitMQ, a policy with a key that a type of queue lacks does not hold for it at all. */
function isApplicable(key: string, kind: SubjectKind): boolean {
  if (kind === 'exchange') return true;
  return kind === 'stream' ? !notOfStreams.has(key) : !ofStreams.has(key);
}
