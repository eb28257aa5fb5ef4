import { Record, type Batch } from '../../log/index.ts';
import type { Partition } from '../partitions/partition.ts';
import type { RecordReader } from '../partitions/record-reader.ts';
import type { MessageLoader } from './message-loader.ts';

/**
 * A message reader reads one message of a partition at a time, by its offset, and keeps the last one.
 *
 * A message that was read is not loaded again when the cache has dropped it meanwhile. Otherwise two
 * positions could load their messages in turn without end, if the cache has room for one of them only.
 */
export class MessageReader {
  readonly #partition: Partition;
  readonly #loader: MessageLoader;
  readonly #reader: RecordReader;
  /** The last message, which is the one at `#offset`; -1 if there is none. */
  readonly #record = new Record();
  #offset = -1;

  constructor(partition: Partition, loader: MessageLoader) {
    this.#partition = partition;
    this.#loader = loader;
    this.#reader = partition.reader();
  }

  /** The offset of the last message; -1 if there is none. */
  get offset(): number {
    return this.#offset;
  }

  /** Reads a message; undefined if it is removed or lost, `loading` if it must be loaded first. */
  read(offset: number): Record | 'loading' | undefined {
    if (!this.#partition.isDeliverable(offset)) return undefined;
    if (offset === this.#offset) return this.#record;
    const batch = this.#loader.batchOf(offset);
    return typeof batch === 'object' ? this.readFrom(batch, offset) : batch;
  }

  /** Reads a message of the batch; undefined if it is not there. */
  readFrom(batch: Batch, offset: number): Record | undefined {
    this.#offset = -1;
    this.#reader.reset(batch, offset);
    if (!this.#reader.next(this.#record) || this.#record.offset !== offset) return undefined;
    this.#offset = offset;
    return this.#record;
  }
}
