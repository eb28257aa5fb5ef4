import type { Record } from '../../log/index.ts';
import type { Clock, SteadyTime } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import { topicError, type BrokerError } from '../errors.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Accepted, Ignored } from './admission.ts';
import type { Published, PublishListener, PublishOptions, UniqueOptions } from './publishes.ts';
import { UniqueKeys, type UniqueMessage } from './unique-keys.ts';

/** The part of a topic that publishes with unique keys use. */
export interface UniqueTopic {
  readonly name: string;
  readonly partitions: { readonly opened: readonly Partition[]; at(index: number): Partition | undefined };
  readonly leaving: { readonly counts: { removed: number } };
}

/** The groups of a topic, as far as messages concern them that keep the places of others. */
export interface UniqueGroups {
  readonly byName: ReadonlyMap<string, { hasPassed(partition: number, offset: number): boolean }>;
  /** A message of the partition keeps the place of an earlier one that it replaced. */
  noteStandIn(partition: Partition, place: number): void;
}

/** Stores messages of a topic that were accepted. */
interface MessageStore {
  /** Stores an accepted record: returns its offset, or its id if it is delayed until `dueMs`. */
  store<T>(
    admission: Accepted,
    record: Record,
    dueMs: number | undefined,
    listener: PublishListener<T>,
    token: T,
  ): number;
}

/** The services that the broker offers to publishes with unique keys. */
export interface UniquePublishesHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly budgets: Budgets;
  readonly delays: {
    /** When a delayed message is due (wall clock); undefined if none waits under this id. */
    dueMsOf(id: number): number | undefined;
    /** Takes a delayed message back, in the open commit. */
    takeOut(id: number): void;
  };
  awaitCommit<T>(
    listener: PublishListener<T>,
    token: T,
    partition: Partition,
    offset: number,
    duplicate: boolean,
  ): void;
  /** Adds to the open commit that the message keeps an earlier place. */
  recordStandIn(partition: Partition, offset: number, place: number): void;
  /** Adds to the open commit that a unique key belongs to this message. */
  recordUniqueKey(partition: Partition, message: UniqueMessage): void;
  /** The next commit is to carry that a message with a unique key was delivered. */
  uniqueKeyFreed(partition: Partition, offset: number): void;
}

/** The longest unique key, in characters. */
const uniqueKeyLengthMax = 256;

const modes: ReadonlySet<unknown> = new Set(['ignore', 'replace', 'debounce', 'throttle']);

/**
 * Publishes with a unique key. They are decided like all others, and then by their key: while an earlier
 * message of it waits, the new one is ignored or takes its place. The change of places is one commit.
 */
export class UniquePublishes {
  readonly keys: UniqueKeys;
  readonly #topic: UniqueTopic;
  readonly #host: UniquePublishesHost;
  readonly #groups: UniqueGroups;
  readonly #store: MessageStore;

  constructor(topic: UniqueTopic, host: UniquePublishesHost, groups: UniqueGroups, store: MessageStore) {
    this.#topic = topic;
    this.#host = host;
    this.#groups = groups;
    this.#store = store;
    this.keys = new UniqueKeys(
      {
        steady: host.steady,
        isDelayed: (id) => host.delays.dueMsOf(id) !== undefined,
        isLive: (partition, offset) => topic.partitions.at(partition)!.isLive(offset),
        recordTaken: (message) => host.recordUniqueKey(topic.partitions.at(message.partition)!, message),
        recordFreed: (partition, offset) => host.uniqueKeyFreed(topic.partitions.at(partition)!, offset),
      },
      host.budgets.meter('uniqueKeys'),
    );
  }

  /** Why a unique key cannot be used so; undefined if it can. */
  refusalOf(
    { key, mode, windowMs }: UniqueOptions,
    deliverAtMs: number | undefined,
  ): BrokerError | undefined {
    const invalid = (what: string): BrokerError =>
      topicError(this.#topic, 'message-invalid', `takes ${what}`);
    if (typeof key !== 'string' || key.length === 0 || key.length > uniqueKeyLengthMax)
      return invalid(`unique keys of 1 to ${uniqueKeyLengthMax} characters`);
    if (!modes.has(mode)) return invalid(`unique modes ${[...modes].join(', ')}`);
    if (windowMs !== undefined && !(Number.isFinite(windowMs) && windowMs > 0))
      return invalid('a window of more than 0 milliseconds for a unique key');
    if (mode === 'throttle' && windowMs === undefined)
      return invalid('the unique mode throttle with a window only');
    if (mode === 'debounce' && windowMs === undefined && deliverAtMs === undefined)
      return invalid('the unique mode debounce with a delay or a window only');
    return undefined;
  }

  /** The time until which a publish is delayed, given what it replaces. */
  deliverAtMs(
    { mode, windowMs }: UniqueOptions,
    deliverAtMs: number | undefined,
    earlier: UniqueMessage | undefined,
  ): number | undefined {
    if (mode === 'replace' && earlier)
      return earlier.state === 'delayed' ? this.#host.delays.dueMsOf(earlier.offset) : undefined;
    if (mode === 'debounce' && deliverAtMs === undefined) return this.#host.clock.now() + windowMs!;
    return deliverAtMs;
  }

  /** Stores an accepted message, in the place of the earlier one if there is one. */
  append<T>(
    admission: Accepted,
    unique: UniqueOptions,
    record: Record,
    listener: PublishListener<T>,
    token: T,
  ): void {
    const { earlier, partition } = admission;
    const sinceMs = this.#host.clock.now();
    const deliverAtMs = admission.options?.deliverAtMs;
    const dueMs = deliverAtMs !== undefined && deliverAtMs > sinceMs ? deliverAtMs : undefined;
    const keepsPlace = unique.mode === 'replace' && dueMs === undefined;
    const place = earlier && keepsPlace ? this.#placeOf(earlier, partition) : undefined;
    if (earlier) this.#takeOut(earlier);
    const answer = new UniqueAnswer(listener, earlier ? 'replaced' : 'stored');
    const offset = this.#store.store(admission, record, dueMs, answer, token);
    if (place !== undefined && partition.liveIn(place, offset) > 0) this.#keepPlace(partition, offset, place);
    this.keys.take({
      key: unique.key,
      partition: partition.index,
      offset,
      state: dueMs === undefined ? 'stored' : 'delayed',
      sinceMs,
      windowMs: unique.mode === 'throttle' ? unique.windowMs! : 0,
    });
    if (earlier) this.keys.replaced++;
  }

  /** Answers a publish that is not stored, once the message that stands in its way is durable. */
  ignore<T>({ partition, by }: Ignored, listener: PublishListener<T>, token: T): void {
    this.keys.ignored++;
    const delayedId = by.state === 'delayed' ? by.offset : undefined;
    const answer = new UniqueAnswer(listener, 'ignored', delayedId);
    this.#host.awaitCommit(answer, token, partition, delayedId === undefined ? by.offset : -1, true);
  }

  /** Forgets unique keys that are free, and places of messages that all groups have passed. */
  forgetFree(): void {
    this.keys.forgetFree();
    const groups = [...this.#groups.byName.values()];
    for (const partition of this.#topic.partitions.opened)
      partition.standIns?.removeWhere(
        (offset) =>
          offset >= partition.nextOffset || // a crash came before the message
          !partition.isLive(offset) ||
          (groups.length > 0 && groups.every((group) => group.hasPassed(partition.index, offset))),
      );
  }

  /** The message, which was just appended, keeps this place, where groups deliver it. */
  #keepPlace(partition: Partition, offset: number, place: number): void {
    if (partition.standIns?.isCrowded === true) this.forgetFree();
    partition.standIn(offset, place);
    if (!partition.log.volatile) this.#host.recordStandIn(partition, offset, place);
    this.#groups.noteStandIn(partition, place);
  }

  /** The place that a stored message leaves to one of the same partition. */
  #placeOf({ state, partition, offset }: UniqueMessage, { index, standIns }: Partition): number | undefined {
    if (state !== 'stored' || partition !== index) return undefined;
    return standIns?.placeOf(offset) ?? offset;
  }

  #takeOut({ state, partition, offset }: UniqueMessage): void {
    if (state === 'delayed') this.#host.delays.takeOut(offset);
    else if (this.#topic.partitions.at(partition)?.remove(offset)) this.#topic.leaving.counts.removed++;
  }
}

/** Tells a listener what became of its publish, besides where the message is. */
class UniqueAnswer<T> implements PublishListener<T> {
  readonly #listener: PublishListener<T>;
  readonly #outcome: 'stored' | 'ignored' | 'replaced';
  /** The id of the delayed message that stands in the way of an ignored one. */
  readonly #delayedId: number | undefined;

  constructor(listener: PublishListener<T>, outcome: 'stored' | 'ignored' | 'replaced', delayedId?: number) {
    this.#listener = listener;
    this.#outcome = outcome;
    this.#delayedId = delayedId;
  }

  published(token: T, partition: number, offset: number, isOther: boolean): void {
    const listener = this.#listener;
    if (!listener.unique) return listener.published(token, partition, offset, isOther);
    const outcome = this.#outcome;
    const place: Published = { partition, offset, duplicate: false, outcome };
    const delayedId = this.#delayedId;
    listener.unique(token, delayedId === undefined ? place : { ...place, delayedId });
  }

  delayed(token: T, partition: number, id: number): void {
    const listener = this.#listener;
    const outcome = this.#outcome;
    if (listener.unique)
      listener.unique(token, { partition, offset: -1, duplicate: false, delayedId: id, outcome });
    else if (listener.delayed) listener.delayed(token, partition, id);
    else listener.published(token, partition, -1, false);
  }

  refused(token: T, error: Error): void {
    this.#listener.refused(token, error);
  }
}

/** The options of a publish with the time until which it is delayed. */
export function withDeliverAt(options: PublishOptions, deliverAtMs: number | undefined): PublishOptions {
  const { deliverAtMs: _, ...others } = options;
  return deliverAtMs === undefined ? others : { ...others, deliverAtMs };
}
