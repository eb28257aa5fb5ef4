import { noPartitions, type Assignment } from './assignment.ts';
import type { PatternTopics } from './pattern-topics.ts';
import type { TopicFilter } from './subscribed-topics.ts';

/**
 * Where a member stands between what it has and what it is to have.
 *
 * `unrevoked`: it has to give partitions back first, and stays in its epoch. `unreleased`: it is in the new
 * epoch, but others still hold some of what it is to get.
 */
export type ConsumerMemberState = 'stable' | 'unrevoked' | 'unreleased';

/** Epoch of a static member that has left for a while. */
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
  /** Of the names. */
  bytes = 0;
  pattern: PatternTopics | undefined = undefined;
  /** Which of the topics that the pattern matches it may know of; undefined: all. */
  filter: TopicFilter | undefined = undefined;
  assignor: string | null = null;
  epoch = 0;
  /** The one before: an answer may have been lost. */
  previousEpoch = 0;
  state: ConsumerMemberState = 'stable';
  /** What it may read. */
  assigned: Assignment = noPartitions;
  /** What it was told to give back and has not yet. */
  revoking: Assignment = noPartitions;
  /** Gone when nothing was heard of it until then (monotonic clock). */
  deadlineMs: number = Infinity;
  /** Gone when it has not given back until then. */
  revokeDeadlineMs: number = Infinity;

  constructor(id: string) {
    this.id = id;
  }
}
