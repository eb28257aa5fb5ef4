import type { GroupOptions, TopicOptions } from '../../broker/index.ts';
import { defaultOf, type AttributeTexts } from './attribute-rules.ts';
import { ackWaitMsOf } from './queue.ts';

/** The five minutes for which SQS remembers the deduplication ids of a FIFO queue. */
export const dedupeWindowMs = 300_000;
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

/** The part of the attributes that the group obeys. */
export function groupOptions(attributes: AttributeTexts, inFlightMax: number): Partial<GroupOptions> {
  const visibility = attributes.VisibilityTimeout ?? defaultOf('VisibilityTimeout');
  return {
    ackWaitMs: ackWaitMsOf(Number(visibility)),
    // Receipt handles, and the time that is left for them, survive a restart.
    redeliverAfterRestart: 'at-deadline',
    maxInFlight: inFlightMax,
    ...(attributes.FifoQueue === 'true' && fifoOptions),
  };
}

/**
 * A receive gets up to ten messages of one group in order, and nobody gets more of that group until they are
 * deleted. SQS looks that many messages ahead for other groups.
 */
const fifoOptions = { ordering: 'key', keyRunMax: 10, heldMax: 120_000 } as const;
