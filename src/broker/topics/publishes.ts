/** What a publish may ask for besides being stored. */
export interface PublishOptions {
  /** Absent: by the key's hash; in turn for messages without a key. */
  readonly partition?: number;
  /** A second publish with the same id within the topic's window is answered with the first one's offset. */
  readonly dedupeId?: string;
  /** Not to be seen before then, in milliseconds since the epoch. */
  readonly deliverAtMs?: number;
  /** Refuse unless the partition's last offset is this one; -1: unless nothing was ever published. */
  readonly expectedLastOffset?: number;
  /**
   * Refuse unless the last live message of the key has this offset; -1: unless there is none. Needs keyState.
   */
  readonly expectedLastKeyOffset?: number;
  /** The subject pattern that `expectedLastKeyOffset` speaks of; absent: the message's own key. */
  readonly expectedLastKey?: string;
  readonly expectedLastDedupeId?: string;
  /** Remove what came before: all of the topic, or all of the key. */
  readonly replaces?: 'topic' | 'key';
}

export interface Published {
  readonly partition: number;
  readonly offset: number;
  readonly duplicate: boolean;
}

/** The transaction that a batch says to be part of. */
export interface BatchTransaction {
  readonly transactionalId: string;
  /** The batch adds its partition by itself; else that must have been done before. */
  readonly addsPartition: boolean;
}

/** Hears how a publish ended. One object serves many publishes; the token says which. */
export interface PublishListener<T> {
  /** The message is on disk. `duplicate`: it was there before, at this offset. */
  published(token: T, partition: number, offset: number, duplicate: boolean): void;
  refused(token: T, error: Error): void;
}

/**
 * The publishes of one commit that wait to hear "ok": parallel lists, so that a publish costs no object. The
 * lists keep their length from commit to commit, because growing them anew costs some 100 bytes of garbage a
 * publish.
 */
export class PublishesOfCommit {
  readonly #listeners: (PublishListener<unknown> | undefined)[] = [];
  readonly #tokens: unknown[] = [];
  readonly #offsets: number[] = [];
  /** Partition * 2 + 1 if it is a duplicate. */
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
    const at = this.#size++;
    this.#listeners[at] = listener;
    this.#tokens[at] = token;
    this.#offsets[at] = offset;
    this.#flags[at] = partition * 2 + (duplicate ? 1 : 0);
  }

  /** Tells everybody, and forgets them. */
  committed(): void {
    for (let i = 0; i < this.#size; i++) {
      const flags = this.#flags[i]!;
      this.#listeners[i]!.published(this.#tokens[i], flags >>> 1, this.#offsets[i]!, (flags & 1) === 1);
    }
    this.#clear();
  }

  failed(error: Error): void {
    for (let i = 0; i < this.#size; i++) this.#listeners[i]!.refused(this.#tokens[i], error);
    this.#clear();
  }

  /** Lists that one large commit stretched are cut; what is kept holds on to nothing. */
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
