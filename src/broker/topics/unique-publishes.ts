import type { Record } from '../../log/index.ts';
import type { Clock } from '../../util/index.ts';
import { topicError, type BrokerError } from '../errors.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Accepted, Ignored } from './admission.ts';
import type { Published, PublishListener, PublishOptions, UniqueOptions } from './publishes.ts';
import type { UniqueKeys, UniqueMessage } from './unique-keys.ts';

/** The part of a topic that publishes with unique keys use. */
interface UniqueTopic {
  readonly name: string;
  readonly uniqueKeys: UniqueKeys;
  readonly partitions: { at(index: number): Partition | undefined };
  readonly leaving: { readonly counts: { removed: number } };
  /** The message, which was just appended, keeps this place, where groups deliver it. */
  keepPlace(partition: Partition, offset: number, place: number): void;
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
}

/** The longest unique key, in characters. */
export const uniqueKeyLengthMax = 256;

const modes: ReadonlySet<unknown> = new Set(['ignore', 'replace', 'debounce', 'throttle']);

/**
 * Publishes with a unique key. They are decided like all others, and then by their key: while an earlier
 * message of it waits, the new one is ignored or takes its place. The change of places is one commit.
 */
export class UniquePublishes {
  readonly #topic: UniqueTopic;
  readonly #host: UniquePublishesHost;

  constructor(topic: UniqueTopic, host: UniquePublishesHost) {
    this.#topic = topic;
    this.#host = host;
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
    const { uniqueKeys } = this.#topic;
    const sinceMs = this.#host.clock.now();
    const deliverAtMs = admission.options?.deliverAtMs;
    const dueMs = deliverAtMs !== undefined && deliverAtMs > sinceMs ? deliverAtMs : undefined;
    const keepsPlace = unique.mode === 'replace' && dueMs === undefined;
    const place = earlier && keepsPlace ? this.#placeOf(earlier, partition) : undefined;
    if (earlier) this.#takeOut(earlier);
    const answer = new UniqueAnswer(listener, earlier ? 'replaced' : 'stored');
    const offset = this.#topic.store(admission, record, dueMs, answer, token);
    if (place !== undefined && partition.liveIn(place, offset) > 0)
      this.#topic.keepPlace(partition, offset, place);
    uniqueKeys.take({
      key: unique.key,
      partition: partition.index,
      offset,
      state: dueMs === undefined ? 'stored' : 'delayed',
      sinceMs,
      windowMs: unique.mode === 'throttle' ? unique.windowMs! : 0,
    });
    if (earlier) uniqueKeys.replaced++;
  }

  /** Answers a publish that is not stored, once the message that stands in its way is durable. */
  ignore<T>({ partition, by }: Ignored, listener: PublishListener<T>, token: T): void {
    this.#topic.uniqueKeys.ignored++;
    const delayedId = by.state === 'delayed' ? by.offset : undefined;
    const answer = new UniqueAnswer(listener, 'ignored', delayedId);
    this.#host.awaitCommit(answer, token, partition, delayedId === undefined ? by.offset : -1, true);
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
