import {
  BrokerError,
  deadLetterName,
  type Group,
  type GroupOptions,
  type Topic,
} from '../../../../broker/index.ts';
import { ErrorCode } from '../../../../wire/kafka/index.ts';
import { KafkaError } from '../../errors.ts';
import type { GroupConfigs } from '../group-configs.ts';

/**
 * The broker groups of share groups. A share group `g` that reads a topic is the broker's group `g` of that
 * topic. Acquiring a record is a delivery; accept, release, reject and renew are ack, nack, reject and
 * extend. A JetStream consumer with explicit acks is such a group, too: a share group of the same name has
 * the same messages, position and limits.
 */
export class ShareOffsets {
  readonly #configs: GroupConfigs;
  readonly #creating = new Map<string, Promise<Group>>();

  constructor(configs: GroupConfigs) {
    this.#configs = configs;
  }

  /** The group on one topic, if it exists and delivers messages one by one. */
  find(groupId: string, topic: Topic): Group | undefined {
    const group = topic.groups.get(groupId);
    return group && isShareable(group) ? group : undefined;
  }

  /** Throws a KafkaError if the group cannot read the topic record by record. */
  check(groupId: string, topic: Topic): void {
    const known = topic.groups.get(groupId);
    if (!known || isShareable(known)) return;
    const how = known.isCommitted ? 'commits offsets' : 'does not ack one by one';
    const problem = `Group "${groupId}" of topic "${topic.name}" is no share group: it ${how}. Use another group id.`;
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, problem);
  }

  /**
   * The group on that topic, created if necessary; resolves once it is durable. Rejects with a KafkaError or
   * a BrokerError.
   */
  async ensure(groupId: string, topic: Topic): Promise<Group> {
    this.check(groupId, topic);
    const known = topic.groups.get(groupId);
    const key = `${topic.id}/${groupId}`;
    const creating = this.#creating.get(key);
    if (creating || known) return creating ?? known!;
    const creation = this.#create(groupId, topic).finally(() => this.#creating.delete(key));
    this.#creating.set(key, creation);
    return creation;
  }

  /** Applies the group's current configs to an existing group; its position does not change. */
  async reconfigure(group: Group): Promise<void> {
    const { deadLetter: _, ...config } = group.config;
    await group.update({ ...config, ...this.#settings(group.name, group.topic) });
  }

  #settings(
    groupId: string,
    topic: Topic,
  ): Pick<GroupOptions, 'ackWaitMs' | 'maxDeliver' | 'maxInFlight' | 'deadLetter'> {
    const { lockMs, deliveriesMax, recordLocksMax, deadLetter } = this.#configs.of(groupId);
    return {
      ackWaitMs: lockMs,
      maxDeliver: deliveriesMax,
      maxInFlight: recordLocksMax,
      ...(deadLetter === '' ? {} : { deadLetter: deadLetter ?? deadLetterName(topic.name, groupId) }),
    };
  }

  async #create(groupId: string, topic: Topic): Promise<Group> {
    try {
      return await topic.createGroup({
        name: groupId,
        durable: topic.config.durability === 'disk',
        start: this.#configs.of(groupId).start,
        ack: 'explicit',
        ...this.#settings(groupId, topic),
        attributes: { kafka: { kind: 'share-group' } },
      });
    } catch (error) {
      const known = topic.groups.get(groupId);
      if (error instanceof BrokerError && error.code === 'group-exists' && known) return known;
      throw error;
    }
  }
}

/** Whether the group delivers messages one by one, each with its own ack. */
export function isShareable(group: Group): boolean {
  return !group.isCommitted && group.config.ack === 'explicit';
}

/** Whether the group was created by Kafka as a share group. */
export function isShareGroup(group: Group): boolean {
  const { kafka } = group.config.attributes;
  return isShareable(group) && (kafka as { readonly kind?: unknown } | undefined)?.kind === 'share-group';
}
