import type { GroupConfig, GroupOptions, TopicOptions } from '../../broker/index.ts';
import { defaultOf, type AttributeTexts } from './attribute-rules.ts';
import { ackWaitMsOf } from './queue.ts';

/** The five minutes for which SQS remembers the deduplication ids of a FIFO queue. */
const dedupeWindowMs = 300_000;
/** More ids than the budget of the broker allows, so that the window ends by time alone. */
const dedupeEntriesMax = 100_000_000;

/** The part of the attributes that the topic obeys. */
export function topicOptions(attributes: AttributeTexts): Partial<TopicOptions> {
  const retention = attributes.MessageRetentionPeriod ?? defaultOf('MessageRetentionPeriod');
  return {
    ageMsMax: Number(retention) * 1000,
    ...(attributes.FifoQueue === 'true' && { dedupeWindowMs, dedupeEntriesMax }),
  };
}

/** The options of a group that a RedrivePolicy sets. */
export type RedriveOptions = Pick<GroupOptions, 'maxDeliver' | 'deadLetter'>;

/** The part of the attributes that the group obeys. */
export function groupOptions(
  attributes: AttributeTexts,
  redrive: RedriveOptions,
  inFlightMax: number,
): Partial<GroupOptions> {
  const visibility = attributes.VisibilityTimeout ?? defaultOf('VisibilityTimeout');
  return {
    ackWaitMs: ackWaitMsOf(Number(visibility)),
    // Receipt handles, and the time that is left for them, survive a restart.
    redeliverAfterRestart: 'at-deadline',
    maxInFlight: inFlightMax,
    ...(attributes.FifoQueue === 'true' && fifoOptions),
    ...redrive,
  };
}

/**
 * A receive gets up to ten messages of one group in order, and nobody gets more of that group until they are
 * deleted. SQS looks that many messages ahead for other groups.
 */
const fifoOptions = { ordering: 'key', keyRunMax: 10, heldMax: 120_000 } as const;

/** The configuration of a group after a change; undefined: what it has stays. */
export function changedGroup(
  { maxDeliver, deadLetter, ...config }: GroupConfig,
  visibility: string | undefined,
  redrive: RedriveOptions | undefined,
): GroupConfig {
  const before = {
    ...(maxDeliver !== undefined && { maxDeliver }),
    ...(deadLetter !== undefined && { deadLetter }),
  };
  return {
    ...config,
    ...(visibility !== undefined && { ackWaitMs: ackWaitMsOf(Number(visibility)) }),
    ...(redrive ?? before),
  };
}
