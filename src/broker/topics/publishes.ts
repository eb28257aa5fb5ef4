import type { ScheduleOptions } from '../schedules/schedule-config.ts';

/** Options of a publish. */
export interface PublishOptions {
  /** Absent: chosen by the key's hash; in turn for messages without a key. */
  readonly partition?: number;
  /** A second publish with the same id within the topic's window is answered with the first one's offset. */
  readonly dedupeId?: string;
  /** Delivered not before this time, in milliseconds since the epoch. */
  readonly deliverAtMs?: number;
  /**
   * The message expires so many milliseconds after it enters its topic, or earlier if the age limit of the
   * topic is lower. Infinity: the age limit of the topic does not apply to it.
   */
  readonly ttlMs?: number;
  /**
   * The level of the message, 0 (the default) to one less than the topic's `priorities`. Higher goes first.
   */
  readonly priority?: number;
  /** Refused unless the partition's last offset is this one; -1: unless nothing was ever published. */
  readonly expectedLastOffset?: number;
  /**
   * Refused unless the last live message of the key has this offset; -1: unless there is none. Needs
   * keyState.
   */
  readonly expectedLastKeyOffset?: number;
  /** The subject pattern of the keys that `expectedLastKeyOffset` is about; absent: the message's own key. */
  readonly expectedLastKey?: string;
  readonly expectedLastDedupeId?: string;
  /** Removes all earlier messages of this key in the partition, besides what `replaces` removes. */
  readonly removesKey?: string;
  /** A schedule that lives with the message: it is deleted when the message is removed. */
  readonly schedule?: ScheduleOptions;
  /** Removes all earlier messages of the partition (`topic`), or all earlier messages of the key in it. */
  readonly replaces?: 'topic' | 'key';
  /** At most one message of this key waits in the topic. */
  readonly unique?: UniqueOptions;
}

/**
 * A unique key of a publish, and what happens if an earlier message of the key waits: it is delayed, or
 * stored and delivered to no group yet.
 */
export interface UniqueOptions {
  /** 1 to 256 characters; unique in the topic, over all its partitions. */
  readonly key: string;
  /**
   * `ignore`: nothing is stored. `replace`: the new message is stored in the place of the earlier one, and
   * keeps its due time. `debounce`: it replaces the earlier one with the delay of its own. `throttle`:
   * nothing is stored, also for `windowMs` after the last message of the key that was stored.
   */
  readonly mode: 'ignore' | 'replace' | 'debounce' | 'throttle';
  /** For `throttle`, which needs it; for `debounce` the delay if the publish has none. */
  readonly windowMs?: number;
}

export interface Published {
  readonly partition: number;
  readonly offset: number;
  readonly duplicate: boolean;
  /** The id of the message while it is delayed; see delayed-messages.ts. Absent: it is not delayed. */
  readonly delayedId?: number;
  /**
   * What became of a publish with a unique key. `ignored`: nothing was stored, and the rest is about the
   * earlier message. Absent: it had none.
   */
  readonly outcome?: 'stored' | 'ignored' | 'replaced';
}

/** The transaction named by the publisher of a batch. */
export interface BatchTransaction {
  readonly transactionalId: string;
  /**
   * Whether the batch itself adds its partition to the transaction; otherwise the partition must have been
   * added before.
   */
  readonly addsPartition: boolean;
}

/** Is told how a publish ended. One object serves many publishes; the token identifies the publish. */
export interface PublishListener<T> {
  /** The message is on disk. `duplicate`: an earlier publish stored it, at this offset. */
  published(token: T, partition: number, offset: number, duplicate: boolean): void;
  /**
   * The message is on disk and waits for its time, under this id. Absent: {@link published} is called, with
   * offset -1.
   */
  delayed?(token: T, partition: number, id: number): void;
  /**
   * The publish had a unique key: what became of it. Absent: {@link published} or {@link delayed} is called,
   * and one that was ignored counts as a duplicate.
   */
  unique?(token: T, published: Published): void;
  refused(token: T, error: Error): void;
}

/**
 * The publishes of one commit that wait for their confirmation. Parallel lists are used, so that a publish
 * costs no object. The lists keep their length from commit to commit: growing them again would cost some 100
 * bytes of garbage per publish.
 */
export class PublishesOfCommit {
  readonly #listeners: (PublishListener<unknown> | undefined)[] = [];
  readonly #tokens: unknown[] = [];
  readonly #offsets: number[] = [];
  /** Partition * 4, plus 1 for a duplicate, plus 2 for a delayed message, whose offset is its id. */
  readonly #flags: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add<T>(
    listener: PublishListener<T>,
    token: T,
    partition: number,
    offset: number,
    duplicate: boolean,
  ): void {
    this.#add(listener, token, partition * 4 + (duplicate ? 1 : 0), offset);
  }

  addDelayed<T>(listener: PublishListener<T>, token: T, partition: number, id: number): void {
    this.#add(listener, token, partition * 4 + 2, id);
  }

  #add<T>(listener: PublishListener<T>, token: T, flags: number, offset: number): void {
    const at = this.#size++;
    this.#listeners[at] = listener;
    this.#tokens[at] = token;
    this.#offsets[at] = offset;
    this.#flags[at] = flags;
  }

  /** Confirms all publishes, and forgets them. */
  committed(): void {
    for (let i = 0; i < this.#size; i++) {
      const flags = this.#flags[i]!;
      const listener = this.#listeners[i]!;
      if ((flags & 2) === 0)
        listener.published(this.#tokens[i], flags >>> 2, this.#offsets[i]!, (flags & 1) === 1);
      else if (listener.delayed) listener.delayed(this.#tokens[i], flags >>> 2, this.#offsets[i]!);
      else listener.published(this.#tokens[i], flags >>> 2, -1, false);
    }
    this.#clear();
  }

  failed(error: Error): void {
    for (let i = 0; i < this.#size; i++) this.#listeners[i]!.refused(this.#tokens[i], error);
    this.#clear();
  }

  /** Shortens lists that a large commit has grown; the kept entries reference nothing. */
  #clear(): void {
    if (this.#listeners.length > keptMax) {
      for (const list of [this.#listeners, this.#tokens, this.#offsets, this.#flags]) list.length = keptMax;
    }
    this.#listeners.fill(undefined, 0, Math.min(this.#size, keptMax));
    this.#tokens.fill(undefined, 0, Math.min(this.#size, keptMax));
    this.#size = 0;
  }
}

const keptMax = 16_384;
