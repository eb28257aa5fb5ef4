import assert from 'node:assert/strict';
import {
  decodeConsumerAssignment,
  encodeConsumerAssignment,
  encodeConsumerSubscription,
  errorName,
  type ResponseOf,
} from '../../../../src/wire/kafka/index.ts';
import type { KafkaClient } from '../kit.ts';

/**
 * A member of a classic group, by hand: it reads its topics and, as the leader, assigns all partitions in
 * turn.
 */
export class ClassicMember {
  readonly client: KafkaClient;
  readonly groupId: string;
  readonly topics: readonly string[];
  memberId = '';
  generationId = -1;
  assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[] = [];

  constructor(client: KafkaClient, groupId: string, topics: readonly string[]) {
    this.client = client;
    this.groupId = groupId;
    this.topics = topics;
  }

  async join(partitions = 1): Promise<ResponseOf<'JoinGroup'>> {
    let joined = await this.#join();
    if (errorName(joined.errorCode) === 'MEMBER_ID_REQUIRED') {
      this.memberId = joined.memberId;
      joined = await this.#join();
    }
    if (joined.errorCode !== 0) return joined;
    this.memberId = joined.memberId;
    this.generationId = joined.generationId;
    const shares = joined.members.map(({ memberId }, at) => ({
      memberId,
      assignment: encodeConsumerAssignment(0, {
        assignedPartitions: this.topics.map((topic) => ({
          topic,
          partitions: Array.from({ length: partitions }, (_, partition) => partition).filter(
            (partition) => partition % joined.members.length === at,
          ),
        })),
      }),
    }));
    const synced = await this.client.call('SyncGroup', 5, {
      groupId: this.groupId,
      generationId: this.generationId,
      memberId: this.memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: shares,
    });
    assert.equal(errorName(synced.errorCode), 'NONE');
    this.assignment = decodeConsumerAssignment(synced.assignment).assignedPartitions;
    return joined;
  }

  #join(): Promise<ResponseOf<'JoinGroup'>> {
    return this.client.call('JoinGroup', 9, {
      groupId: this.groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: this.memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: encodeConsumerSubscription(0, { topics: this.topics }) }],
    });
  }

  async heartbeat(): Promise<string> {
    const { groupId, generationId, memberId } = this;
    const { errorCode } = await this.client.call('Heartbeat', 4, { groupId, generationId, memberId });
    return errorName(errorCode);
  }

  commit(offset: number, partition = 0, topic: string = this.topics[0]!): Promise<string> {
    return commit(this.client, this.groupId, topic, offset, {
      partition,
      generationId: this.generationId,
      memberId: this.memberId,
    });
  }

  async leave(): Promise<string> {
    const { errorCode, members } = await this.client.call('LeaveGroup', 5, {
      groupId: this.groupId,
      members: [{ memberId: this.memberId }],
    });
    return errorName(members[0]?.errorCode ?? errorCode);
  }
}

/** Commits one offset; NONE, or the name of the error. */
export async function commit(
  client: KafkaClient,
  groupId: string,
  topic: string,
  offset: number,
  {
    partition = 0,
    generationId = -1,
    memberId = '',
    metadata = '',
    version = 9,
  }: {
    partition?: number;
    generationId?: number;
    memberId?: string;
    metadata?: string | null;
    version?: number;
  } = {},
): Promise<string> {
  const { topics } = await client.call('OffsetCommit', version, {
    groupId,
    generationIdOrMemberEpoch: generationId,
    memberId,
    topics: [
      {
        name: topic,
        partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: metadata }],
      },
    ],
  });
  return errorName(topics[0]!.partitions[0]!.errorCode);
}

/** The commits of a group: `topic-partition=offset metadata`, of all topics. */
export async function committed(client: KafkaClient, groupId: string): Promise<string[]> {
  const { groups } = await client.call('OffsetFetch', 9, {
    groups: [{ groupId, topics: null }],
    requireStable: true,
  });
  return groups[0]!.topics.flatMap(({ name, partitions }) =>
    partitions.map(
      ({ partitionIndex, committedOffset, metadata }) =>
        `${name}-${partitionIndex}=${committedOffset} ${metadata}`,
    ),
  );
}
