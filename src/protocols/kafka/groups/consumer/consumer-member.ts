import { noPartitions, type Assignment } from './assignment.ts';
import type { PatternTopics } from './pattern-topics.ts';
import type { TopicFilter } from './subscribed-topics.ts';

/**
 * Progress of a member from its current assignment to its target.
 *
 * `unrevoked`: it has to give partitions back first, and stays in its epoch. `unreleased`: it is in the new
 * epoch, but other members still hold some of its new partitions.
 */
export type ConsumerMemberState = 'stable' | 'unrevoked' | 'unreleased';

/** Epoch of a static member that has left temporarily. */
export const staticLeaveEpoch = -2;

/** A member of a KIP-848 consumer group. */
export class ConsumerMember {
  readonly id: string;
  instanceId: string | null = null;
  rackId: string | null = null;
  clientId = '';
  clientHost = '';
  rebalanceTimeoutMs = 0;
  topicNames: readonly string[] = [];
  /** Bytes of the topic names. */
  bytes = 0;
  pattern: PatternTopics | undefined = undefined;
  /** Limits the topics matched by the pattern to those that the member may know of; undefined: all. */
  filter: TopicFilter | undefined = undefined;
  assignor: string | null = null;
  epoch = 0;
  /** The previous epoch, accepted in case an answer was lost. */
  previousEpoch = 0;
  state: ConsumerMemberState = 'stable';
  /** Partitions that the member may read. */
  assigned: Assignment = noPartitions;
  /** Partitions that the member was told to give back, and has not yet. */
  revoking: Assignment = noPartitions;
  /** The member is removed if it sends nothing until then (monotonic clock). */
  deadlineMs: number = Infinity;
  /** The member is removed if it has not given its partitions back until then. */
  revokeDeadlineMs: number = Infinity;

  constructor(id: string) {
    this.id = id;
  }
}
