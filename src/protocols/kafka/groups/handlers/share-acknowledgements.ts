import { ErrorCode, type Uuid } from '../../../../wire/kafka/index.ts';
import type { AcknowledgementBatch } from '../share/share-consumer.ts';
import type { ShareSession } from '../share/share-session.ts';

/** The acknowledgements of a request for one topic. */
interface AcknowledgedTopic {
  readonly topicId: Uuid;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly acknowledgementBatches: readonly AcknowledgementBatch[];
  }[];
}

/** Results by topic and partition, without the partitions that have no acknowledgements. */
export type AcknowledgeResults = ReadonlyMap<Uuid, ReadonlyMap<number, ErrorCode>>;

/** Applies the client's acknowledgements to the records that it holds. */
export function acknowledge(
  session: ShareSession,
  topics: readonly AcknowledgedTopic[],
  mayRenew: boolean,
  isAllowed: (topicId: Uuid) => boolean,
): AcknowledgeResults {
  const results = new Map<Uuid, Map<number, ErrorCode>>();
  for (const { topicId, partitions } of topics) {
    const consumer = session.consumers.get(topicId);
    for (const { partitionIndex, acknowledgementBatches: batches } of partitions) {
      if (batches.length === 0) continue;
      const result = !isAllowed(topicId)
        ? ErrorCode.TOPIC_AUTHORIZATION_FAILED
        : !consumer
          ? ErrorCode.INVALID_RECORD_STATE
          : consumer.hasEnded
            ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            : consumer.acknowledge(partitionIndex, batches, mayRenew);
      const ofTopic = results.get(topicId) ?? new Map<number, ErrorCode>();
      results.set(topicId, ofTopic.set(partitionIndex, result));
    }
  }
  return results;
}

export function hasAcknowledgements(topics: readonly AcknowledgedTopic[]): boolean {
  return topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches: batches }) => batches.length > 0),
  );
}
