import type { Record } from '../../log/index.ts';
import { BrokerError, topicError } from '../errors.ts';
import { Group } from '../groups/group.ts';
import { groupConfig, type GroupConfig, type GroupOptions } from '../groups/group-config.ts';
import type { GroupHost, GroupTopic } from '../groups/group-state.ts';
import type { Partition } from '../partitions/partition.ts';

/** The services that the broker offers to the groups of a topic. */
export interface TopicGroupsHost extends GroupHost {
  /** Why no publish is accepted now; undefined if publishes are accepted. */
  readonly refusal: BrokerError | undefined;
  nextId(): number;
}

/**
 * The groups of a topic. It creates and removes them, and tells them what happens to the topic's messages.
 */
export class TopicGroups<T extends GroupTopic> {
  readonly byName: Map<string, Group<T>> = new Map();
  /** The groups with a filter. */
  filtered: readonly Group<T>[] = [];
  #all: readonly Group<T>[] = [];
  readonly #topic: T;
  readonly #host: TopicGroupsHost;
  readonly #changed: () => void;

  /** `changed` is called when a group was added or removed. */
  constructor(topic: T, host: TopicGroupsHost, changed: () => void) {
    this.#topic = topic;
    this.#host = host;
    this.#changed = changed;
  }

  /** Whether a group does not want messages beyond an age. */
  get someLimitAge(): boolean {
    return this.#all.some(({ config }) => config.messageTtlMs !== undefined);
  }

  /** Groups were added or removed, or changed their filters. */
  configured(): void {
    this.#all = [...this.byName.values()];
    this.filtered = this.#all.filter((group) => group.isFiltered);
  }

  /** Creates a group, at its start position; resolves once that is durable. */
  async create(options: GroupOptions): Promise<Group<T>> {
    const config = groupConfig(options);
    this.#checkNew(config.name);
    this.#host.budgets.check('groups');
    this.#host.budgets.check('positions', this.#topic.partitions.length);
    const group = new Group<T>(this.#host, this.#topic, this.#host.nextId(), config, this.#host.clock.now());
    this.add(group);
    try {
      await group.start();
      if (group.isClosed) throw this.#closedUnmade(group); // while it looked for its start
    } catch (error) {
      this.#topic.removeGroup(group);
      throw error;
    }
    this.#host.defineGroup(group);
    this.#host.emit({ kind: 'group-created', group });
    await new Promise<void>((resolve) => this.#host.afterCommit(resolve));
    return group;
  }

  /**
   * Defines a group of a topic that has no message yet, in the open commit. Every start position is then the
   * beginning.
   */
  defineFirst(config: GroupConfig): Group<T> {
    const group = new Group<T>(this.#host, this.#topic, this.#host.nextId(), config, this.#host.clock.now());
    this.add(group);
    this.#host.defineGroup(group);
    group.resumeTimers();
    this.#host.emit({ kind: 'group-created', group });
    return group;
  }

  #closedUnmade({ name }: Group<T>): BrokerError {
    if (this.#host.refusal?.code === 'closed') return this.#host.refusal;
    if (this.#topic.isDeleted) return topicError(this.#topic, 'topic-not-found', 'was deleted');
    return new BrokerError('group-not-found', `Group "${name}" was deleted while it was being created.`, {
      topic: this.#topic.name,
      group: name,
    });
  }

  #checkNew(name: string): void {
    if (this.#topic.isDeleted) throw topicError(this.#topic, 'topic-not-found', 'was deleted');
    if (this.byName.has(name)) {
      throw new BrokerError('group-exists', `Topic "${this.#topic.name}" has a group "${name}" already.`, {
        topic: this.#topic.name,
        group: name,
      });
    }
    const { groupsMax } = this.#topic.config;
    if (groupsMax !== undefined && this.byName.size >= groupsMax) {
      throw topicError(this.#topic, 'groups-full', `takes ${groupsMax} groups at most`, { limit: groupsMax });
    }
  }

  /** Adds a group: a new one, or one from the journal. */
  add(group: Group<T>): void {
    this.#host.budgets.take('groups');
    this.#host.budgets.take('positions', this.#topic.partitions.length);
    this.byName.set(group.name, group);
    this.#changed();
  }

  /** Takes a group out. */
  remove(group: Group<T>): void {
    if (this.byName.get(group.name) === group) {
      this.byName.delete(group.name);
      // A deleted topic has already released all of its groups.
      if (!this.#topic.isDeleted) {
        this.#host.budgets.release('groups');
        this.#host.budgets.release('positions', this.#topic.partitions.length);
      }
    }
    this.#changed();
  }

  // ---- what happens to messages

  /** A message was appended. Returns true if a group wants it. */
  noteAppended(partition: number, record: Record, offset: number): boolean {
    let wanted = this.byName.size > this.filtered.length;
    for (const group of this.filtered) wanted = group.noteAppended(partition, record, offset) || wanted;
    return wanted;
  }

  /** A message with this key was removed. */
  noteRemoved(partition: number, key: string, offset: number): void {
    for (const group of this.filtered) group.noteRemoved(partition, key, offset);
  }

  /** Messages in `[from, to)` were removed, for any reason: groups no longer wait for answers to them. */
  noteGone(partition: Partition, from: number, to: number): void {
    for (const group of this.#all) group.noteGone(partition.index, from, to);
  }

  /** Whether a consumer of a group has the message, or a group is moving it to its dead letters. */
  holds(partition: Partition, offset: number): boolean {
    return this.#all.some((group) => group.holds(partition.index, offset));
  }

  /** A message that a consumer holds is past its time to live: the other groups are done with it. */
  notePassed(partition: Partition, offset: number): void {
    for (const group of this.#all) group.notePassed(partition.index, offset);
  }

  /** A message of the partition keeps the place of an earlier one. */
  noteStandIn(partition: Partition, place: number): void {
    for (const group of this.#all) group.noteStandIn(partition.index, place);
  }

  /** New messages are durable. */
  noteDurable(): void {
    for (const group of this.byName.values()) group.noteDurable();
  }
}
