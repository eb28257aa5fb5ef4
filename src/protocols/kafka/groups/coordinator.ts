import type { Broker, Group, Topic } from '../../../broker/index.ts';
import type { Clock, Random } from '../../../util/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import { KafkaError } from '../errors.ts';
import type { TopicIds, TopicNames } from '../kafka-host.ts';
import { ClassicGroup } from './classic/classic-group.ts';
import { consumerProtocolType, readersOfTopics } from './classic/subscription.ts';
import { ConsumerGroup } from './consumer/consumer-group.ts';
import type { PatternTopics } from './consumer/pattern-topics.ts';
import { Patterns } from './consumer/patterns.ts';
import type { TopicView, TopicsView } from './consumer/subscribed-topics.ts';
import { EmptiedGroups } from './emptied-groups.ts';
import { GroupConfigs } from './group-configs.ts';
import { groupLimits, type GroupLimits } from './limits.ts';
import type { MemberCharge } from './member-charge.ts';
import { GroupOffsets } from './offsets.ts';
import { Presences } from './presence.ts';
import { ShareGroup } from './share/share-group.ts';
import { ShareOffsets, isShareGroup, isShareable } from './share/share-offsets.ts';
import { ShareSessions } from './share/share-session.ts';

export interface GroupCoordinatorOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: Random;
  readonly topicNames: TopicNames;
  readonly topicIds: TopicIds;
  readonly limits?: Partial<GroupLimits>;
}

/** A group with members, or one that has just lost its last member. */
export type LiveGroup = ClassicGroup | ConsumerGroup | ShareGroup;

/** A group as ListGroups shows it. */
export interface GroupListing {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer' | 'share';
  readonly state: string;
  readonly protocolType: string;
}

/**
 * The group coordinator manages all groups of Kafka clients: their members, in memory, and the broker groups
 * that keep their positions, durably. A group id is one kind of group at a time; a group without members may
 * become another kind.
 */
export class GroupCoordinator {
  readonly limits: GroupLimits;
  readonly broker: Broker;
  readonly offsets: GroupOffsets;
  readonly configs: GroupConfigs;
  readonly shareOffsets: ShareOffsets;
  readonly shareSessions: ShareSessions;
  readonly patterns: Patterns;
  readonly emptied: EmptiedGroups;
  readonly #options: GroupCoordinatorOptions;
  readonly #groups = new Map<string, LiveGroup>();
  readonly #presences = new Map<string, Presences>();
  readonly #host: {
    readonly clock: Clock;
    readonly random: Random;
    readonly limits: GroupLimits;
    readonly topics: TopicsView;
    readonly patternOf: (text: string) => PatternTopics;
    readonly charge: () => MemberCharge;
    readonly changed: (group: LiveGroup) => void;
  };
  readonly #unsubscribe: () => void;
  #closed = false;
  #used = false;

  constructor(options: GroupCoordinatorOptions) {
    const { broker, clock, random } = options;
    this.#options = options;
    this.broker = broker;
    this.limits = groupLimits(options.limits);
    this.offsets = new GroupOffsets(broker, this.limits);
    this.configs = new GroupConfigs(broker.attributes, this.limits, () => clock.now());
    this.shareOffsets = new ShareOffsets(this.configs);
    this.emptied = new EmptiedGroups(clock);
    this.shareSessions = new ShareSessions(this.limits.shareSessionsMax, broker.budgets);
    this.#host = {
      clock,
      random,
      limits: this.limits,
      topics: {
        byName: (name) => this.#view(options.topicNames.topic(name)),
        all: (after) => this.#views(after),
      },
      patternOf: (text) => this.patterns.of(text),
      charge: () => broker.budgets.meter('members'),
      changed: (group) => this.#changed(group),
    };
    this.patterns = new Patterns(this.#host.topics, this.limits.memberTopicsMax);
    this.#unsubscribe = broker.events.subscribe(({ kind }) => {
      if (kind !== 'topic-created' && kind !== 'topic-updated' && kind !== 'topic-deleted') return;
      for (const group of this.#groups.values()) if (group.kind !== 'classic') group.noteTopicsChanged();
    });
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get topicNames(): TopicNames {
    return this.#options.topicNames;
  }

  get topicIds(): TopicIds {
    return this.#options.topicIds;
  }

  #view(topic: Topic | undefined): TopicView | undefined {
    if (!topic) return undefined;
    const { topicIds, topicNames } = this.#options;
    const { id: number, partitions } = topic;
    return {
      id: topicIds.idOf(topic),
      number,
      name: topicNames.nameOf(topic),
      partitions: partitions.length,
    };
  }

  *#views(after: number): Iterable<TopicView> {
    for (const topic of this.broker.topics.values()) if (topic.id > after) yield this.#view(topic)!;
  }

  // ---- groups

  find(groupId: string): LiveGroup | undefined {
    return this.#groups.get(groupId);
  }

  /** The classic group of that id, created if necessary. Throws a KafkaError. */
  classic(groupId: string): ClassicGroup {
    const known = this.#groups.get(groupId);
    if (known?.kind === 'classic') return known;
    this.#checkFree(groupId, known, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    return this.#put(new ClassicGroup(groupId, this.#host));
  }

  consumer(groupId: string): ConsumerGroup {
    const known = this.#groups.get(groupId);
    if (known?.kind === 'consumer') return known;
    this.#checkFree(groupId, known, ErrorCode.GROUP_ID_NOT_FOUND);
    return this.#put(
      new ConsumerGroup(groupId, {
        ...this.#host,
        sessionMsOf: (id) => this.configs.times('consumer', id).sessionMs,
      }),
    );
  }

  share(groupId: string): ShareGroup {
    const known = this.#groups.get(groupId);
    if (known?.kind === 'share') return known;
    this.#checkFree(groupId, known, ErrorCode.GROUP_ID_NOT_FOUND);
    return this.#put(
      new ShareGroup(groupId, {
        ...this.#host,
        sessionMsOf: (id) => this.configs.times('share', id).sessionMs,
      }),
    );
  }

  #checkFree(groupId: string, known: LiveGroup | undefined, code: ErrorCode): void {
    if (this.#closed) throw new KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    if (groupId === '')
      throw new KafkaError(ErrorCode.INVALID_GROUP_ID, 'A group has an id that is not empty.');
    if (known && !known.isForgettable) {
      const problem = `Group "${groupId}" is a ${known.kind} group with ${known.members.size} members; it can change its kind when they have left.`;
      throw new KafkaError(code, problem);
    }
    if (known) this.#drop(known);
  }

  #put<G extends LiveGroup>(group: G): G {
    this.#groups.set(group.id, group);
    this.emptied.delete(group.id);
    return group;
  }

  #drop(group: LiveGroup): void {
    // A group that never had a member was only asked for.
    if (group.kind !== 'share' && group.hasHadMembers)
      this.emptied.add(group.id, {
        type: group.kind,
        protocolType: group.kind === 'classic' ? (group.protocolType ?? '') : consumerProtocolType,
      });
    group.close();
    if (this.#groups.get(group.id) === group) this.#groups.delete(group.id);
    this.#presences.get(group.id)?.clear();
    this.#presences.delete(group.id);
  }

  /** To be called after a request: drops a group without members. */
  tidy(group: LiveGroup): void {
    if (group.isForgettable) this.#drop(group);
  }

  #changed(group: LiveGroup): void {
    if (group.kind === 'share') return;
    const presences = this.#presences.get(group.id) ?? new Presences(this.broker.budgets);
    this.#presences.set(group.id, presences);
    presences.update(this.#readers(group));
    // The group may be in the middle of an operation; it is dropped afterwards.
    if (group.isForgettable) this.clock.defer(() => this.#groups.get(group.id) === group && this.tidy(group));
  }

  /**
   * The members that read each broker group, by their client ids, or by their member ids if they have none.
   */
  #readers(group: ClassicGroup | ConsumerGroup): ReadonlyMap<Group, readonly string[]> {
    const readers = new Map<Group, string[]>();
    const note = (topic: Topic | undefined, { clientId, id }: { clientId: string; id: string }): void => {
      const found = topic?.groups.get(group.id);
      if (!found?.isCommitted) return;
      const labels = readers.get(found);
      if (labels) labels.push(clientId || id);
      else readers.set(found, [clientId || id]);
    };
    const { topicIds, topicNames } = this.#options;
    if (group.kind === 'classic') {
      for (const [name, members] of readersOfTopics(group))
        for (const member of members) note(topicNames.topic(name), member);
    } else {
      for (const [id, { clientId }] of group.members)
        for (const topicId of group.topicsByMember.get(id) ?? [])
          note(topicIds.topic(topicId), { clientId, id });
    }
    return readers;
  }

  /** A broker group was created for a group that has members already. */
  noteCreated(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group) this.#changed(group);
  }

  /** A Kafka client has asked for the coordinator of a group. */
  noteUsed(): void {
    this.#used = true;
  }

  /** Whether groups of Kafka clients exist, or existed in this run. */
  get isUsed(): boolean {
    this.#used ||= this.#groups.size > 0 || this.#hasKafkaGroup();
    return this.#used;
  }

  #hasKafkaGroup(): boolean {
    for (const { groups } of this.broker.topics.values())
      for (const { config } of groups.values()) if (config.attributes['kafka'] !== undefined) return true;
    return false;
  }

  // ---- configs

  /**
   * Sets configs of a group, durably, and applies them to existing share groups. Rejects with a KafkaError
   * before anything is changed.
   */
  async configure(
    groupId: string,
    values: Iterable<readonly [name: string, value: string | null]>,
  ): Promise<void> {
    // All of it goes into one commit, since there is no wait in between.
    const updates = [this.configs.set(groupId, values)];
    for (const topic of this.broker.topics.values()) {
      const group = topic.groups.get(groupId);
      if (group && isShareGroup(group)) updates.push(this.shareOffsets.reconfigure(group));
    }
    await Promise.all(updates);
  }

  // ---- lists

  /** All groups that Kafka clients may know, including those without members. */
  list(): GroupListing[] {
    const listings = new Map<string, GroupListing>();
    for (const topic of this.broker.topics.values()) {
      for (const group of topic.groups.values()) {
        const { name, isCommitted } = group;
        if (listings.get(name)?.type === 'classic') continue;
        if (isCommitted)
          listings.set(name, {
            groupId: name,
            type: 'classic',
            state: 'Empty',
            protocolType: consumerProtocolType,
          });
        else if (isShareable(group)) {
          const isStable = group.consumers > 0 || listings.get(name)?.state === 'Stable';
          listings.set(name, {
            groupId: name,
            type: 'share',
            state: isStable ? 'Stable' : 'Empty',
            protocolType: 'share',
          });
        }
      }
    }
    for (const group of this.#groups.values()) {
      if (group.isForgettable) continue;
      const { id, kind, state } = group;
      const protocolType = group.kind === 'classic' ? (group.protocolType ?? '') : group.kind;
      listings.set(id, { groupId: id, type: kind, state, protocolType });
    }
    for (const [groupId, { type, protocolType }] of this.emptied.entries())
      if (!listings.has(groupId)) listings.set(groupId, { groupId, type, state: 'Empty', protocolType });
    return [...listings.values()];
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.shareSessions.close();
    for (const group of this.#groups.values()) this.#drop(group);
  }
}
