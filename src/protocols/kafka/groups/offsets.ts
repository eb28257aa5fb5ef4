import { BrokerError, type Broker, type Committed, type Group, type Topic } from '../../../broker/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import { names } from '../../names.ts';
import { KafkaError } from '../errors.ts';
import type { GroupLimits } from './limits.ts';

export const groupNameMax: number = names.kafka.group.longest.count;

/**
 * The offsets of Kafka's consumer groups. A Kafka group `g` that reads a topic is the broker's group `g` of
 * that topic, with committed positions. A Kafka group that reads several topics is a broker group on each.
 *
 * A broker group of the same name that delivers messages (a JetStream consumer, a share group, a group of the
 * embedded API) is a different way of reading. Kafka clients can see its progress, but can neither join it
 * nor commit to it.
 */
export class GroupOffsets {
  readonly #broker: Broker;
  readonly #limits: GroupLimits;
  readonly #creating = new Map<string, Promise<Group>>();

  constructor(broker: Broker, limits: GroupLimits) {
    this.#broker = broker;
    this.#limits = limits;
  }

  /** The group on one topic; undefined if it does not exist. */
  find(groupId: string, topic: Topic): Group | undefined {
    return topic.groups.get(groupId);
  }

  /**
   * Whether the group exists on that topic, durably, and takes commits. A commit that comes earlier has to
   * wait, so that commits keep their order.
   */
  isReady(groupId: string, topic: Topic): boolean {
    return (
      this.find(groupId, topic)?.isCommitted === true && !this.#creating.has(creationKey(groupId, topic))
    );
  }

  /** All broker groups of a Kafka group. */
  of(groupId: string): Group[] {
    const found: Group[] = [];
    for (const topic of this.#broker.topics.values()) {
      const group = topic.groups.get(groupId);
      if (group?.isCommitted) found.push(group);
    }
    return found;
  }

  /** The broker groups of each of these Kafka groups, without the Kafka groups that have none. */
  ofEach(groupIds: ReadonlySet<string>): Map<string, Group[]> {
    const found = new Map<string, Group[]>();
    const note = (group: Group | undefined): void => {
      if (!group?.isCommitted) return;
      const known = found.get(group.name);
      if (known) known.push(group);
      else found.set(group.name, [group]);
    };
    // Iterates the smaller set: the requested names, or the topic's groups.
    for (const { groups } of this.#broker.topics.values()) {
      if (groups.size < groupIds.size) {
        for (const group of groups.values()) if (groupIds.has(group.name)) note(group);
      } else for (const groupId of groupIds) note(groups.get(groupId));
    }
    return found;
  }

  /** Names of all groups with committed positions. */
  names(): Set<string> {
    const names = new Set<string>();
    for (const topic of this.#broker.topics.values())
      for (const group of topic.groups.values()) if (group.isCommitted) names.add(group.name);
    return names;
  }

  /** Throws a KafkaError if the group cannot read the topic by committing offsets. */
  check(groupId: string, topic: Topic): void {
    const group = topic.groups.get(groupId);
    if (!group || group.isCommitted) return;
    throw new KafkaError(
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
      `Group "${groupId}" of topic "${topic.name}" delivers messages one by one (a JetStream consumer or a share group). Use another group id.`,
    );
  }

  /**
   * The group on that topic, created if necessary; resolves once it is durable. Rejects with a KafkaError or
   * a BrokerError.
   */
  async ensure(groupId: string, topic: Topic): Promise<Group> {
    this.check(groupId, topic);
    const key = creationKey(groupId, topic);
    const creating = this.#creating.get(key);
    if (creating) return creating;
    const known = topic.groups.get(groupId);
    if (known) return known;
    if (groupId.length > groupNameMax) {
      const problem = `A group id has ${groupNameMax} characters at most, this one has ${groupId.length}.`;
      throw new KafkaError(ErrorCode.INVALID_GROUP_ID, problem);
    }
    const creation = this.#create(groupId, topic).finally(() => {
      // Deferred until those waiting for the creation have continued: later requests must not overtake them.
      this.#broker.clock.defer(() => this.#creating.delete(key));
    });
    this.#creating.set(key, creation);
    return creation;
  }

  async #create(groupId: string, topic: Topic): Promise<Group> {
    try {
      return await topic.createGroup({
        name: groupId,
        durable: topic.config.durability === 'disk',
        // No message may be removed before it is read; the client chooses where to start.
        start: { kind: 'all' },
        ack: 'all',
        positions: 'committed',
        inactiveMs: this.#limits.offsetsRetentionMs,
        attributes: { kafka: { kind: 'consumer-group' } },
      });
    } catch (error) {
      const known = topic.groups.get(groupId);
      if (error instanceof BrokerError && error.code === 'group-exists' && known?.isCommitted) return known;
      throw error;
    }
  }

  /** The committed offset; for a group that delivers messages, its ack floor. -1 for none. */
  committed(groupId: string, topic: Topic, partition: number): Committed {
    const group = topic.groups.get(groupId);
    const position = group?.positionInfo(partition);
    if (!group || !position) return nothing;
    if (group.isCommitted) return group.committed(partition) ?? nothing;
    return { offset: position.ackFloor, metadata: '' };
  }
}

function creationKey(groupId: string, topic: Topic): string {
  return `${topic.id}/${groupId}`;
}

/** The answer of OffsetFetch if no offset was committed. */
export const nothing: Committed = { offset: -1, metadata: '' };
