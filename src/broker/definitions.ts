import type { Log } from '../log/index.ts';
import { ByteWriter, hasWildcards, isPublishSubject, subjectsOverlap } from '../util/index.ts';
import type { Catalog } from './catalog.ts';
import type { CommitCycle } from './commit-cycle.ts';
import { EntryKind, writeHold, type StoredHold } from './entries.ts';
import { BrokerError } from './errors.ts';
import type { GroupConfig } from './groups/group-config.ts';
import type { Queue } from './queue.ts';
import type { Router } from './live/router.ts';
import type { Schedules } from './schedules/schedules.ts';
import { groupEntry, topicEntry } from './snapshot.ts';
import type { TopicConfig } from './topics/topic-config.ts';
import { Topic, type TopicGroup, type TopicHost } from './topics/topic.ts';

/** The parts of the broker that definitions work with. */
export interface DefinitionsContext {
  readonly core: TopicHost;
  readonly catalog: Catalog;
  readonly router: Router;
  readonly commits: CommitCycle;
  readonly schedules: Schedules;
  log(): Log;
}

const nothing = new Uint8Array(0);

/**
 * Definitions create, change and delete topics and groups: in the catalog, in the router, and in the journal.
 * Each definition is written twice (decision 8), because all later commits depend on it and one commit could
 * be lost.
 */
export class Definitions {
  readonly #context: DefinitionsContext;

  constructor(context: DefinitionsContext) {
    this.#context = context;
  }

  /** `orphans`: existing partitions for the topic to take over. */
  defineTopic(config: TopicConfig, orphans?: readonly number[]): Topic {
    const { core, catalog } = this.#context;
    const id = catalog.nextId();
    const logIds = orphans ?? Array.from({ length: config.partitions }, () => catalog.nextId());
    const topic = new Topic(core, id, config, core.clock.now(), logIds);
    catalog.addTopic(topic);
    if (orphans) catalog.openStored(topic);
    this.#recordTopic(topic);
    this.bind(topic);
    core.emit({ kind: 'topic-created', topic });
    return topic;
  }

  /** Defines a topic and its first group, in one commit. */
  defineQueue(config: TopicConfig, groupDefinition: GroupConfig): Queue {
    const topic = this.defineTopic(config);
    return { topic, group: topic.defineFirstGroup(groupDefinition) };
  }

  redefineTopic(topic: Topic): void {
    const { catalog, router } = this.#context;
    const { config } = topic;
    const missing = config.partitions - topic.partitions.length;
    if (missing > 0) {
      catalog.addPartitions(
        topic,
        Array.from({ length: missing }, () => catalog.nextId()),
      );
    }
    router.unbindTopic(topic);
    this.bind(topic);
    this.#recordTopic(topic);
  }

  undefineTopic(topic: Topic): void {
    const { catalog, core, router, commits, schedules } = this.#context;
    router.unbindTopic(topic);
    schedules.topicDeleted(topic);
    for (const partition of topic.partitions.opened) void core.undelay(partition);
    catalog.removeTopic(topic);
    this.#context.log().record(EntryKind.topicDeleted, topic.id, nothing);
    this.#context.log().useReserve();
    for (const { log } of topic.partitions.opened) commits.logDeleted(log.id);
  }

  #recordTopic(topic: Topic): void {
    this.#recordTwice(() => {
      if (!topic.isDeleted) this.#context.log().record(EntryKind.topicDefined, topic.id, topicEntry(topic));
    });
  }

  #recordTwice(record: () => void): void {
    record();
    this.#context.commits.defined(record);
  }

  // ---- groups

  defineGroup(group: TopicGroup): void {
    const { catalog } = this.#context;
    catalog.groupsById.set(group.id, group);
    for (const position of group.positions.opened) position.changes.clear();
    if (!group.config.durable) return;
    this.#recordTwice(() => {
      if (!group.isClosed)
        this.#context
          .log()
          .record(EntryKind.groupDefined, group.id, groupEntry(group, this.#context.core.clock));
    });
  }

  redefineGroup({ id, config }: TopicGroup): void {
    if (!config.durable) return;
    this.#context.log().record(EntryKind.groupConfigured, id, Buffer.from(JSON.stringify(config)));
  }

  undefineGroup({ id, config }: TopicGroup): void {
    this.#context.catalog.groupsById.delete(id);
    if (config.durable) this.#context.log().record(EntryKind.groupDeleted, id, nothing);
  }

  holdGroup({ id }: { readonly id: number }, hold: StoredHold): void {
    const payload = new ByteWriter();
    writeHold(payload, hold);
    this.#context.log().record(EntryKind.holds, id, payload.view());
  }

  // ---- subjects

  /**
   * Makes the router send the topic the messages that its subjects capture. A topic without subjects gets the
   * messages that are published to its name.
   */
  bind(topic: Topic): void {
    const { router } = this.#context;
    const { name, subjects } = topic.config;
    for (const subject of subjects) router.bindTopic(subject, topic);
    // A name of several tokens is not a subject for NATS clients either: they see it escaped.
    if (subjects.length === 0 && isPublishSubject(name) && !name.includes('.')) router.bindName(name, topic);
  }

  /** Throws if another topic captures subjects that these patterns would capture too. */
  checkSubjects(config: TopicConfig): void {
    for (const pattern of config.subjects) {
      const other = hasWildcards(pattern)
        ? this.#overlapping(pattern, config.name)
        : this.#context.router.captorOf(pattern); // one lookup, however many topics there are
      if (!other || other.name === config.name) continue;
      throw new BrokerError(
        'subjects-overlap',
        `Topic "${config.name}" cannot capture "${pattern}": topic "${other.name}" captures subjects of it.`,
        { topic: other.name },
      );
    }
  }

  #overlapping(pattern: string, name: string): Topic | undefined {
    for (const other of this.#context.catalog.topics.values()) {
      if (other.name !== name && other.config.subjects.some((subject) => subjectsOverlap(subject, pattern)))
        return other;
    }
    return undefined;
  }
}
