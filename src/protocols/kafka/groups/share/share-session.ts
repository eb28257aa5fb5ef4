import type { Budgets, Group } from '../../../../broker/index.ts';
import { ErrorCode, type Uuid } from '../../../../wire/kafka/index.ts';
import { KafkaError } from '../../errors.ts';
import { chargeOfFetch } from '../../fetch-room.ts';
import type { KafkaSession } from '../../handler.ts';
import { ShareConsumer } from './share-consumer.ts';
import { ShareFetch, type AcquiredPartition, type ShareFetchOptions } from './share-fetch.ts';

const epochMax = 2 ** 31 - 1;
const initialEpoch = 0;
const finalEpoch = -1;

/**
 * A share session is the state of one member of a share group on one connection: the partitions that the
 * member reads and the records that it holds. It ends with the connection; the records then go to other
 * members.
 */
export class ShareSession {
  readonly groupId: string;
  readonly memberId: string;
  /** The connection that the session is bound to. */
  readonly connection: number;
  readonly consumers: Map<Uuid, ShareConsumer> = new Map();
  /** Epoch of the next request. */
  epoch = 1;
  readonly #budgets: Budgets;
  #fetch: ShareFetch | undefined = undefined;

  constructor(groupId: string, memberId: string, connection: number, budgets: Budgets) {
    this.#budgets = budgets;
    this.groupId = groupId;
    this.memberId = memberId;
    this.connection = connection;
  }

  get partitions(): number {
    let count = 0;
    for (const { partitions } of this.consumers.values()) count += partitions.size;
    return count;
  }

  /**
   * Throws a KafkaError if the broker has no room for another consumer, and a BrokerError if the group has an
   * exclusive one.
   */
  add(topicId: Uuid, group: Group, partition: number): void {
    let consumer = this.consumers.get(topicId);
    if (!consumer || consumer.hasEnded) {
      const refusal = this.#budgets.refusal('consumers');
      if (refusal) throw new KafkaError(ErrorCode.SHARE_SESSION_LIMIT_REACHED, refusal.message, refusal);
      consumer = new ShareConsumer(topicId, group, this.memberId, this.connection);
      consumer.partitions.add(partition);
      group.attach(consumer);
      this.consumers.set(topicId, consumer);
    }
    consumer.partitions.add(partition);
  }

  forget(topicId: Uuid, partition: number): void {
    const consumer = this.consumers.get(topicId);
    if (!consumer?.partitions.delete(partition)) return;
    if (consumer.partitions.size > 0) return;
    // The member may still acknowledge the records it holds; their deadlines continue.
    consumer.group.wake(consumer);
  }

  /**
   * Collects records, only a part of each topic if other members read it, too. An earlier fetch that still
   * waits is answered now. While the fetch waits, its partitions count against the budget.
   */
  fetch(
    options: ShareFetchOptions,
    membersOf: (consumer: ShareConsumer) => number = () => 1,
  ): Promise<readonly AcquiredPartition[]> {
    this.#fetch?.end();
    const charge = chargeOfFetch(this.partitions);
    this.#budgets.take('waitingFetches', charge);
    return new Promise<readonly AcquiredPartition[]>((resolve) => {
      const fetch = new ShareFetch(options, () => {
        this.#setFetch(undefined);
        resolve(fetch.result());
      });
      this.#setFetch(fetch, membersOf);
      for (const consumer of this.consumers.values()) consumer.group.wake(consumer);
    }).finally(() => this.#budgets.release('waitingFetches', charge));
  }

  #setFetch(fetch: ShareFetch | undefined, membersOf?: (consumer: ShareConsumer) => number): void {
    this.#fetch = fetch;
    for (const consumer of this.consumers.values()) consumer.begin(fetch, membersOf?.(consumer));
  }

  close(): void {
    this.#fetch?.end();
    for (const consumer of this.consumers.values()) consumer.leave();
    this.consumers.clear();
  }
}

/** All share sessions, by group and member. A member that starts a new session ends its previous one. */
export class ShareSessions {
  readonly #sessions = new Map<string, ShareSession>();
  readonly #perConnection = new Map<KafkaSession, Set<string>>();
  readonly #perConnectionMax: number;
  readonly #budgets: Budgets;

  constructor(perConnectionMax: number, budgets: Budgets) {
    this.#budgets = budgets;
    this.#perConnectionMax = perConnectionMax;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The session of a request; a new one for epoch 0. Throws a KafkaError. */
  enter(groupId: string, memberId: string, epoch: number, connection: KafkaSession): ShareSession {
    if (epoch === initialEpoch) return this.#open(groupId, memberId, connection);
    const session = this.#sessions.get(keyOf(groupId, memberId));
    if (!session) {
      const problem = `Member "${memberId}" of share group "${groupId}" has no share session; begin one with epoch 0.`;
      throw new KafkaError(ErrorCode.SHARE_SESSION_NOT_FOUND, problem);
    }
    if (epoch === finalEpoch) return session;
    if (epoch !== session.epoch) {
      const problem = `The share session of member "${memberId}" is at epoch ${session.epoch}, not ${epoch}.`;
      throw new KafkaError(ErrorCode.INVALID_SHARE_SESSION_EPOCH, problem);
    }
    session.epoch = session.epoch === epochMax ? 1 : session.epoch + 1;
    return session;
  }

  #open(groupId: string, memberId: string, connection: KafkaSession): ShareSession {
    const key = keyOf(groupId, memberId);
    this.end(groupId, memberId);
    let keys = this.#perConnection.get(connection);
    if (!keys) {
      keys = new Set();
      this.#perConnection.set(connection, keys);
      connection.onClose(() => this.#connectionClosed(connection));
    }
    for (const other of keys) if (!this.#sessions.has(other)) keys.delete(other);
    if (keys.size >= this.#perConnectionMax) {
      const problem = `A connection takes ${this.#perConnectionMax} share sessions at most.`;
      throw new KafkaError(ErrorCode.SHARE_SESSION_LIMIT_REACHED, problem);
    }
    const session = new ShareSession(groupId, memberId, connection.id, this.#budgets);
    this.#sessions.set(key, session);
    if (connection.closed) this.end(groupId, memberId);
    else keys.add(key);
    return session;
  }

  /** Ends a member's session, if it has one: its records go to other members. */
  end(groupId: string, memberId: string): void {
    const key = keyOf(groupId, memberId);
    this.#sessions.get(key)?.close();
    this.#sessions.delete(key);
  }

  #connectionClosed(connection: KafkaSession): void {
    const keys = this.#perConnection.get(connection) ?? [];
    this.#perConnection.delete(connection);
    for (const key of keys) {
      this.#sessions.get(key)?.close();
      this.#sessions.delete(key);
    }
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
    this.#perConnection.clear();
  }
}

function keyOf(groupId: string, memberId: string): string {
  return `${groupId}\n${memberId}`;
}
