import {
  BrokerError,
  type Broker,
  type Published,
  type PublishListener,
  type PublishOptions,
  type Record,
  type Topic,
} from '../broker/index.ts';
import { Queue } from '../util/index.ts';

/** A message ready to be published. */
export interface Outgoing {
  readonly record: Record;
  readonly options: PublishOptions | undefined;
}

/** The caller waiting for the result of a publish. */
export interface Waiter {
  resolve(published: Published): void;
  reject(error: unknown): void;
}

/** Publishes that start together, when there is room. */
interface Entry {
  readonly count: number;
  /** Publishes all of them, in the same synchronous run. */
  readonly begin: () => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/** The most messages that may wait for the window. */
const waitingMessagesMax = 1_000_000;

/**
 * The publish window limits the messages on their way to disk. Further publishes, and those that find the
 * broker congested, wait here in order.
 */
export class PublishWindow implements PublishListener<Waiter> {
  readonly #broker: Broker;
  readonly #unackedMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Queue<Entry>();
  #waitingCount = 0;
  #unacked = 0;
  #watchesCongestion = false;
  #failure: Error | undefined = undefined;

  constructor(broker: Broker, unackedMax: number, waitingMax: number = waitingMessagesMax) {
    this.#broker = broker;
    this.#unackedMax = unackedMax;
    this.#waitingMax = waitingMax;
  }

  /** Messages handed to the broker and not yet on disk. */
  get unacked(): number {
    return this.#unacked;
  }

  /**
   * Begins the entry as soon as there is room: at once, or in its turn. Until then its signal can cancel it.
   */
  enter(entry: Entry): void {
    const { count, signal, reject } = entry;
    if (signal?.aborted) return reject(signal.reason);
    if (this.#failure) return reject(this.#failure);
    if (this.#waiting.size === 0 && this.#hasRoom(count)) return this.#begin(entry);
    if (this.#waitingCount + count > this.#waitingMax) {
      const waiting = `${this.#waitingCount} messages wait to be published already`;
      return reject(
        new BrokerError('memory-full', `${waiting}: wait for the promises of publish() before going on.`),
      );
    }
    this.#waitingCount += count;
    this.#waiting.push(signal ? callOffable(entry, signal) : entry);
    this.#watchCongestion();
  }

  /** Resolves once all entries that wait now have begun, or never will. */
  begun(): Promise<void> {
    return new Promise((resolve) => {
      this.enter({ count: 0, begin: resolve, reject: () => resolve(), signal: undefined });
    });
  }

  /** The broker stores nothing any more: rejects waiting publishes, and later ones. */
  fail(error: Error): void {
    this.#failure = error;
    for (let entry = this.#waiting.shift(); entry; entry = this.#waiting.shift()) entry.reject(error);
    this.#waitingCount = 0;
  }

  /** Publishes one message of an entry that has begun. */
  publish(topic: Topic, { record, options }: Outgoing, waiter: Waiter): void {
    try {
      topic.publish(record, options, this, waiter);
    } catch (error) {
      this.refused(waiter, error as Error);
    }
  }

  published(waiter: Waiter, partition: number, offset: number, duplicate: boolean): void {
    waiter.resolve({ partition, offset, duplicate });
    this.#leave();
  }

  delayed(waiter: Waiter, partition: number, delayedId: number): void {
    waiter.resolve({ partition, offset: -1, duplicate: false, delayedId });
    this.#leave();
  }

  unique(waiter: Waiter, published: Published): void {
    waiter.resolve(published);
    this.#leave();
  }

  refused(waiter: Waiter, error: Error): void {
    waiter.reject(error);
    this.#leave();
  }

  #hasRoom(count: number): boolean {
    if (this.#broker.congested) return false;
    return this.#unacked === 0 || this.#unacked + count <= this.#unackedMax;
  }

  #begin({ count, begin }: Entry): void {
    this.#unacked += count;
    begin();
  }

  #leave(): void {
    this.#unacked--;
    if (this.#waiting.size > 0) this.#admit();
  }

  #admit(): void {
    for (let entry = this.#waiting.peek(); entry; entry = this.#waiting.peek()) {
      const isCalledOff = entry.signal?.aborted === true;
      if (!isCalledOff && !this.#hasRoom(entry.count)) return this.#watchCongestion();
      this.#waiting.shift();
      this.#waitingCount -= entry.count;
      if (!isCalledOff) this.#begin(entry);
    }
  }

  #watchCongestion(): void {
    if (this.#watchesCongestion || !this.#broker.congested) return;
    this.#watchesCongestion = true;
    this.#broker.onUncongested(() => {
      this.#watchesCongestion = false;
      this.#admit();
    });
  }
}

/** The entry, rejected as soon as the signal aborts. Once it begins it ignores the signal. */
function callOffable(entry: Entry, signal: AbortSignal): Entry {
  const callOff = (): void => entry.reject(signal.reason);
  signal.addEventListener('abort', callOff, { once: true });
  const begin = (): void => {
    signal.removeEventListener('abort', callOff);
    entry.begin();
  };
  return { ...entry, begin };
}
