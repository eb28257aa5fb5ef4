import type { Redriven, RedriveOptions, Topic as CoreTopic } from '../broker/index.ts';
import { browse, checkBrowse, type BrowseOptions } from './browse.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import type { Message } from './message.ts';
import { checkOptions, filledText, limitOf, wholeNumber, type Checks } from './options.ts';

export type { Redriven, RedriveOptions, RedriveRefusal } from '../broker/index.ts';

const isOffset = wholeNumber();

const redriveChecks: Checks<RedriveOptions> = {
  limit: limitOf(0),
  to: filledText,
  offsets: (value) =>
    Array.isArray(value) && value.every((offset) => isOffset(offset) === undefined)
      ? undefined
      : 'a list of offsets',
};

/**
 * The dead letters of a group: messages that were given up after `maxDeliver` deliveries, or rejected. They
 * stand in a topic of their own, which comes into being with the first one; each says in `message.origin`
 * where it came from and why.
 */
export class DeadLetters<T> {
  /** The topic they stand in; undefined when the group has none. */
  readonly topic: string | undefined;
  readonly #context: BoxContext;
  readonly #codec: AnyCodec;

  constructor(context: BoxContext, codec: AnyCodec, topic: string | undefined) {
    this.#context = context;
    this.#codec = codec;
    this.topic = topic;
  }

  get #letters(): CoreTopic | undefined {
    return this.topic === undefined ? undefined : this.#context.broker.topic(this.topic);
  }

  /** Those that are on disk, which is what `browse` finds. */
  get count(): number {
    return this.#letters?.durableCount ?? 0;
  }

  /** Reads them, and leaves them where they are. */
  async *browse(options: BrowseOptions = {}): AsyncGenerator<Message<T>, void, void> {
    checkBrowse(options);
    const letters = this.#letters;
    if (letters) yield* browse<T>(letters, this.#codec, options);
  }

  /**
   * Puts them back where they came from, as new messages without the headers of a dead letter: every group of
   * that topic gets them (again). Each moves in one commit. What the topic refuses (it is full, sealed, gone)
   * stays here. Resolves, when that is on disk, to how many were moved, and how many stayed and why.
   */
  async redrive(options: RedriveOptions = {}): Promise<Redriven> {
    checkOptions('redrive()', options, redriveChecks);
    const letters = this.#letters;
    return letters ? this.#context.broker.redrive(letters, options) : { moved: 0, stayed: [] };
  }

  /** Deletes them; resolves, when that is on disk, to how many there were. */
  async purge(): Promise<number> {
    let count = 0;
    for (const partition of this.#letters?.partitions.opened.slice() ?? []) count += await partition.purge();
    return count;
  }
}
