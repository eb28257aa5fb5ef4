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
 * are stored in a topic of their own, which is created with the first of them. `message.origin` says where
 * each came from and why.
 */
export class DeadLetters<T> {
  /** The topic of the dead letters; undefined if the group has none. */
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

  /** The number of dead letters on disk, all of which `browse` finds. */
  get count(): number {
    return this.#letters?.durableCount ?? 0;
  }

  /** Reads dead letters without moving them. */
  async *browse(options: BrowseOptions = {}): AsyncGenerator<Message<T>, void, void> {
    checkBrowse(options);
    const letters = this.#letters;
    if (letters) yield* browse<T>(letters, this.#codec, options);
  }

  /**
   * Puts dead letters back into the topics they came from, as new messages without the dead-letter headers.
   * Every group of that topic gets them (again). Each moves in one commit. A message that the topic refuses
   * (because it is full, sealed or deleted) stays. Resolves, once that is on disk, to how many were moved,
   * and how many stayed and why.
   */
  async redrive(options: RedriveOptions = {}): Promise<Redriven> {
    checkOptions('redrive()', options, redriveChecks);
    const letters = this.#letters;
    return letters ? this.#context.broker.redrive(letters, options) : { moved: 0, stayed: [] };
  }

  /** Deletes all dead letters. Resolves, once that is on disk, to the number deleted. */
  async purge(): Promise<number> {
    let count = 0;
    for (const partition of this.#letters?.partitions.opened.slice() ?? []) count += await partition.purge();
    return count;
  }
}
