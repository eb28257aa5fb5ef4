import { checks, type AnyCodec, type Checks } from '../embedded/values.ts';
import type { LetterStore, Origin, StoredLetter } from './driver.ts';
import { Message, valueOf } from './message.ts';

export interface RedriveOptions {
  /** The most dead letters to move, oldest first. Default: those that are there when it begins. */
  readonly limit?: number;
}

const redriveChecks: Checks<RedriveOptions> = { limit: checks.wholeNumber(0) };

/** A dead letter: the message that a group gave up, where it was and why. */
export class Letter<T> extends Message<T> {
  readonly origin: Origin;

  constructor({ message, origin }: StoredLetter, value: T) {
    super(message, value);
    this.origin = origin;
  }
}

/** The dead letters of a group: messages that were given up after `maxDeliver` deliveries, or rejected. */
export class DeadLetters<T> {
  /** The topic of the dead letters; undefined if the group has none. */
  readonly topic: string | undefined;
  readonly #store: LetterStore | undefined;
  readonly #codec: AnyCodec;

  constructor(topic: string | undefined, store: LetterStore | undefined, codec: AnyCodec) {
    this.topic = topic;
    this.#store = store;
    this.#codec = codec;
  }

  async count(): Promise<number> {
    return (await this.#store?.count()) ?? 0;
  }

  /** Reads dead letters, oldest first, and leaves them where they are. */
  async *browse(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Letter<T>, void, void> {
    checks.checkOptions('browse()', options, { signal: checks.abortSignal });
    if (!this.#store) return;
    for await (const stored of this.#store.browse(options.signal))
      yield new Letter<T>(stored, await valueOf<T>(this.#codec, stored.message));
  }

  /**
   * Puts dead letters back into the topic they came from, as new messages with their old ids. Every group of
   * that topic gets them (again).
   */
  async redrive(options: RedriveOptions = {}): Promise<{ readonly moved: number }> {
    checks.checkOptions('redrive()', options, redriveChecks);
    if (!this.#store) return { moved: 0 };
    return { moved: await this.#store.redrive(options.limit ?? (await this.#store.count())) };
  }

  /** Deletes all dead letters; resolves to how many. */
  async purge(): Promise<number> {
    return (await this.#store?.purge()) ?? 0;
  }
}
