import { topicConfig, type TopicConfig } from '../../broker/index.ts';
import type { Uuid } from '../../wire/kafka/index.ts';
import type { GroupCoordinator } from './groups/index.ts';
import { fieldsOf } from './topic-configs.ts';

const name = '__consumer_offsets';

/**
 * The offsets topic is Kafka's `__consumer_offsets` as clients see it: an internal topic with a fixed number
 * of partitions. It has nothing to read and accepts no messages, because positions are the broker's own
 * state. As in Kafka, it is listed once there are groups of Kafka clients.
 */
export class OffsetsTopic {
  readonly name: string = name;
  readonly id: Uuid;
  readonly partitions: number;
  readonly config: TopicConfig;
  readonly #coordinator: GroupCoordinator;

  /** If the broker has a topic of that name, clients see that one instead of the offsets topic. */
  constructor(id: Uuid, partitions: number, coordinator: GroupCoordinator) {
    this.id = id;
    this.partitions = partitions;
    this.#coordinator = coordinator;
    const configs = {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': '104857600',
    };
    this.config = topicConfig({ name, partitions, ...fieldsOf(configs) });
  }

  is(asked: string): boolean {
    return asked === name && !this.#isTaken;
  }

  isId(id: Uuid): boolean {
    return id === this.id && !this.#isTaken;
  }

  has(partition: number): boolean {
    return Number.isInteger(partition) && partition >= 0 && partition < this.partitions;
  }

  get isListed(): boolean {
    return !this.#isTaken && this.#coordinator.isUsed;
  }

  get #isTaken(): boolean {
    return this.#coordinator.broker.topic(name) !== undefined;
  }
}
