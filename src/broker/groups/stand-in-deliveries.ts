import type { Record } from '../../log/index.ts';
import type { Partition } from '../partitions/partition.ts';
import type { StandIns } from '../partitions/stand-ins.ts';
import type { Attachment } from './attachment.ts';
import type { MessageLoader } from './message-loader.ts';
import { MessageReader } from './message-reader.ts';
import type { PendingEntry } from './pending.ts';

/** The part of a position that deliveries of stand-ins use. */
interface StandInPosition {
  readonly partition: Partition;
  readonly loader: MessageLoader;
  /** Whether the message was delivered for the first time, or will never be delivered. */
  hasPassed(offset: number): boolean;
  wants(record: Record): boolean;
  /** Whether the message may go to the consumer now; it is held otherwise. */
  admits(record: Record, to: Attachment<PendingEntry>, level: number): boolean;
  /** The message is delivered for the first time. */
  enter(offset: number): void;
  noteDelivered(offset: number): void;
}

/**
 * The deliveries of stand-ins of a position: messages beyond the cursor whose place it has passed. They go
 * before the message at the cursor, in the order of their places.
 */
export class StandInDeliveries {
  readonly #position: StandInPosition;
  readonly #reader: MessageReader;
  /** The stand-ins of all places below were delivered or passed over. */
  #from = 0;
  #isPeeked = false;

  constructor(position: StandInPosition) {
    this.#position = position;
    this.#reader = new MessageReader(position.partition, position.loader);
  }

  /** Whether the position's next message is a stand-in. */
  get isPeeked(): boolean {
    return this.#isPeeked;
  }

  /** Another message is the next one. */
  unpeek(): void {
    this.#isPeeked = false;
  }

  /**
   * The next stand-in for the consumer whose place is below `end`; it is not taken. `none` if there is none,
   * `loading` if it must be loaded.
   */
  peek(standIns: StandIns, to: Attachment<PendingEntry>, end: number): Record | 'loading' | 'none' {
    const position = this.#position;
    for (;;) {
      const place = standIns.next(this.#from);
      if (place === undefined || place >= end) return 'none';
      const offset = standIns.at(place)!;
      if (position.hasPassed(offset)) {
        this.#from = place + 1;
        continue;
      }
      if (offset >= position.partition.stableEnd) return 'none';
      const record = this.#reader.read(offset);
      if (record === 'loading') return record;
      if (record === undefined || !position.wants(record) || !position.admits(record, to, 0)) {
        this.#from = place + 1;
        continue;
      }
      this.#isPeeked = true;
      return record;
    }
  }

  /** The peeked message is delivered. */
  take(): void {
    const { offset } = this.#reader;
    this.#isPeeked = false;
    this.#position.noteDelivered(offset);
    this.#position.enter(offset);
  }

  /** A stand-in has come for this place. */
  added(place: number): void {
    this.#from = Math.min(this.#from, place);
  }

  /** The position moved, or its filter changed. */
  reset(): void {
    this.#from = 0;
    this.#isPeeked = false;
  }
}
