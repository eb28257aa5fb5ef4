import type { Log } from '../log/index.ts';
import type { Budgets } from './budgets.ts';
import { LogIds } from './log-ids.ts';
import type { Topic, TopicGroup, TopicPartition } from './topics/topic.ts';

/** Id of the log that holds delayed messages. All other ids are given out from 2 on. */
export const delayLogId = 1;

/** The services that the broker offers to the catalog. */
interface CatalogHost {
  readonly budgets: Budgets;
  readonly log: Log;
}

/** The catalog is every topic, group and partition of the broker, by name and id. */
export class Catalog {
  readonly topics: Map<string, Topic> = new Map();
  readonly topicsById: Map<number, Topic> = new Map();
  readonly groupsById: Map<number, TopicGroup> = new Map();
  /** Opened partitions, by the ids of their logs. */
  readonly partitionsById: Map<number, TopicPartition> = new Map();
  readonly #logIds = new LogIds<Topic>();
  #lastId = delayLogId;
  readonly #host: CatalogHost;

  constructor(host: CatalogHost) {
    this.#host = host;
  }

  /** The last id that was given out. */
  get lastId(): number {
    return this.#lastId;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** Marks ids as taken, so that they are not given out again. */
  noteIds(...ids: readonly number[]): void {
    for (const id of ids) this.#lastId = Math.max(this.#lastId, id);
  }

  addTopic(topic: Topic): void {
    this.topics.set(topic.name, topic);
    this.#host.budgets.take('topics');
    this.#host.budgets.take('partitions', topic.partitions.length);
    this.topicsById.set(topic.id, topic);
    this.#logIds.add(topic);
  }

  removeTopic(topic: Topic): void {
    this.topics.delete(topic.name);
    this.#host.budgets.release('topics');
    this.#host.budgets.release('partitions', topic.partitions.length);
    this.#host.budgets.release('groups', topic.groups.size);
    this.#host.budgets.release('positions', topic.groups.size * topic.partitions.length);
    topic.release();
    this.topicsById.delete(topic.id);
    this.#logIds.remove(topic);
    for (const partition of topic.partitions.opened) this.partitionsById.delete(partition.log.id);
    for (const group of topic.groups.values()) this.groupsById.delete(group.id);
  }

  /** Adds partitions to a topic; `ids` are those of their logs. */
  addPartitions(topic: Topic, ids: readonly number[]): void {
    topic.partitions.add(ids);
    this.#host.budgets.take('partitions', ids.length);
    this.#host.budgets.take('positions', ids.length * topic.groups.size);
    this.#logIds.add(topic);
  }

  /** The partition whose log has the id. Opens it if it is not open. */
  partition(id: number): TopicPartition | undefined {
    const opened = this.partitionsById.get(id);
    if (opened) return opened;
    const found = this.#logIds.find(id);
    return found?.owner.partitions.at(found.index);
  }

  /** Opens the partitions that have data in the data directory. */
  openStored(topic: Topic): void {
    const { log } = this.#host;
    topic.partitions.openWhere((id) => log.isStored(id));
  }

  openPartitions(isWanted: (id: number) => boolean): void {
    for (const { partitions, config } of this.topics.values())
      if (config.durability === 'disk') partitions.openWhere(isWanted);
  }
}
