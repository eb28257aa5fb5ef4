import type { Uuid } from '../../../../wire/kafka/index.ts';
import { countOf, each, has, noPartitions, select, type Assignment } from './assignment.ts';
import type { ConsumerMember, ConsumerMemberState } from './consumer-member.ts';

/** The next state of a member. */
export interface Reconciled {
  readonly epoch: number;
  readonly state: ConsumerMemberState;
  readonly assigned: Assignment;
  readonly revoking: Assignment;
}

export interface ReconcileInput {
  readonly member: ConsumerMember;
  readonly target: Assignment;
  readonly targetEpoch: number;
  /** The partitions that the member says it holds; undefined if it did not say. */
  readonly owned: Assignment | undefined;
  /** Whether no other member holds the partition. */
  readonly isFree: (topicId: Uuid, partition: number) => boolean;
}

/**
 * One step of a member towards its target. First the member gives back the partitions that it is not to keep.
 * Then it enters the epoch of the target with the partitions it keeps. It gets each new partition as soon as
 * no other member holds it. Returns undefined if nothing changes now.
 */
export function reconcile(input: ReconcileInput): Reconciled | undefined {
  const { member, targetEpoch, owned } = input;
  switch (member.state) {
    case 'stable':
      return member.epoch === targetEpoch ? undefined : next(input, member.epoch);
    case 'unrevoked':
      if (owned === undefined || holdsAny(owned, member.revoking)) return undefined;
      return next(input, Math.min(member.epoch + 1, targetEpoch));
    case 'unreleased':
      return next(input, member.epoch);
    default:
      return member.state satisfies never;
  }
}

function next({ member, target, targetEpoch, owned, isFree }: ReconcileInput, epoch: number): Reconciled {
  const kept = select(member.assigned, (topicId, partition) => has(target, topicId, partition));
  const revoking = select(member.assigned, (topicId, partition) => !has(target, topicId, partition));
  if (countOf(revoking) > 0 && (owned === undefined || holdsAny(owned, revoking)))
    return { epoch, state: 'unrevoked', assigned: kept, revoking };
  let waits = false;
  const assigned = select(target, (topicId, partition) => {
    if (has(kept, topicId, partition) || isFree(topicId, partition)) return true;
    waits = true;
    return false;
  });
  return { epoch: targetEpoch, state: waits ? 'unreleased' : 'stable', assigned, revoking: noPartitions };
}

function holdsAny(owned: Assignment, revoking: Assignment): boolean {
  for (const [topicId, partition] of each(revoking)) if (has(owned, topicId, partition)) return true;
  return false;
}
