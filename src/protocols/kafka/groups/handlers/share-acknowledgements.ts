import { ErrorCode, type Uuid } from '../../../../wire/kafka/index.ts';
import type { AcknowledgementBatch } from '../share/share-consumer.ts';
import type { ShareSession } from '../share/share-session.ts';

/** Acknowledgements as requests carry them. */
interface AcknowledgedTopic {
  readonly topicId: Uuid;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly acknowledgementBatches: readonly AcknowledgementBatch[];
  }[];
}

/** What came of them, by topic and partition; partitions without any are left out. */
export type AcknowledgeResults = ReadonlyMap<Uuid, ReadonlyMap<number, ErrorCode>>;

/** Does what the client says about records that it holds. */
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
