import type { Batch } from '../../log/index.ts';
import type { Partition } from '../partitions/partition.ts';

/** Callbacks of a loader to its group. */
export interface MessageLoaderHost {
  /** A load from disk has ended: the message is in memory, or is known to be lost. */
  loaded(partition: Partition): void;
  /** A load failed: the group tries again a little later. */
  stalled(): void;
}

/**
 * The message loader of a position finds batches by the offset of a message. Those that are not in memory are
 * loaded from disk, one load at a time: the caller asks again when it has ended.
 */
export class MessageLoader {
  readonly #partition: Partition;
  readonly #host: MessageLoaderHost;
  #isLoading = false;
  /** Messages in `[#lostFrom, #lostTo)` are lost to damage. */
  #lostFrom = 0;
  #lostTo = 0;

  constructor(partition: Partition, host: MessageLoaderHost) {
    this.#partition = partition;
    this.#host = host;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** The batch of a message; undefined if the message is lost, `loading` if it must be loaded first. */
  batchOf(offset: number): Batch | 'loading' | undefined {
    const batch = this.#partition.log.cached(offset);
    if (batch) return batch;
    if (offset >= this.#lostFrom && offset < this.#lostTo) return undefined;
    this.#load(offset);
    return 'loading';
  }

  /** Where the messages go on after a lost one. */
  get lostEnd(): number {
    return this.#lostTo;
  }

  #load(offset: number): void {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const { log } = this.#partition;
    const { durableEnd } = log;
    log.load(offset).then(
      (batch) => {
        this.#isLoading = false;
        if (!batch || batch.baseOffset > offset) {
          // The messages there are lost, and the log has reported it.
          this.#lostFrom = offset;
          this.#lostTo = batch?.baseOffset ?? durableEnd;
        }
        this.#host.loaded(this.#partition);
      },
      () => {
        this.#isLoading = false;
        this.#host.stalled();
      },
    );
  }
}
