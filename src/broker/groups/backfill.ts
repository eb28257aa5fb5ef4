import type { Record } from '../../log/index.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Attachment } from './attachment.ts';
import type { MessageLoader } from './message-loader.ts';
import { MessageReader } from './message-reader.ts';
import type { PendingEntry } from './pending.ts';

/** The part of a position that a backfill uses. */
interface BackfillPosition {
  readonly partition: Partition;
  readonly loader: MessageLoader;
  /** Whether no more messages can be ended now because of their age. */
  readonly endsNoMore: boolean;
  /** Whether the message is too old; it was then taken, and the position is done with it. */
  endIfTooOld(record: Record): boolean;
  /** Whether the key of the message allows its delivery to the consumer. */
  keyAllows(record: Record, to: Attachment<PendingEntry>): boolean;
}

/**
 * A backfill is the messages that a position delivers before the one at its cursor, by their offsets (start
 * `last-per-key`). All are below the offset where the position started.
 */
export class Backfill {
  /** The offset where the position started. */
  readonly end: number;
  readonly #position: BackfillPosition;
  readonly #offsets: readonly number[];
  /** Index of the next one to deliver. */
  #at = 0;
  readonly #reader: MessageReader;

  constructor(position: BackfillPosition, offsets: readonly number[], end: number) {
    this.#position = position;
    this.#offsets = offsets;
    this.end = end;
    this.#reader = new MessageReader(position.partition, position.loader);
  }

  /** Number of messages left. */
  get size(): number {
    return this.#offsets.length - this.#at;
  }

  /** The lowest offset left; undefined if there is none. */
  get first(): number | undefined {
    return this.#offsets[this.#at];
  }

  /** The offsets left. */
  left(): number[] {
    return this.#offsets.slice(this.#at);
  }

  has(offset: number): boolean {
    return this.#offsets.includes(offset, this.#at);
  }

  /** Goes on where so many were left. */
  resume(size: number): void {
    this.#at = Math.max(0, this.#offsets.length - size);
  }

  /**
   * The next message for the consumer, or for any; it is not taken. `ended` if there is none, undefined if it
   * cannot be delivered now.
   */
  peek(to: Attachment<PendingEntry> | undefined): Record | 'ended' | undefined {
    const position = this.#position;
    for (;;) {
      const offset = this.first;
      if (offset === undefined) return 'ended';
      if (offset >= position.partition.stableEnd) return undefined;
      const record = this.#reader.read(offset);
      if (record === 'loading' || position.endsNoMore) return undefined;
      if (record === undefined) this.take();
      else if (!position.endIfTooOld(record))
        return to === undefined || position.keyAllows(record, to) ? record : undefined;
    }
  }

  /** Moves on to the next; returns the offset taken. */
  take(): number {
    return this.#offsets[this.#at++]!;
  }
}
