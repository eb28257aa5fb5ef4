/**
 * Ids are reserved on disk in blocks of this size. The unused ids of a block are lost in a crash and never
 * given out.
 */
const blockSize = 1000;

/** The services that the broker offers to producer ids. */
export interface ProducerIdsHost {
  /** Records that all ids below `end` are taken. */
  record(end: number): void;
  afterCommit(callback: () => void): void;
}

/**
 * Producer ids are unique numbers, even across restarts: the end of a block is on disk before its first id is
 * given out.
 */
export class ProducerIds {
  readonly #host: ProducerIdsHost;
  #next = 0;
  /** The end of the last block that is on disk, and of the last block that is recorded. */
  #durableEnd = 0;
  #end = 0;
  #waiting: ((id: number) => void)[] = [];

  constructor(host: ProducerIdsHost) {
    this.#host = host;
  }

  /** The end of the last block, for a checkpoint. */
  get end(): number {
    return this.#end;
  }

  /** Replays the end of a block; the next id starts there. */
  restore(end: number): void {
    this.#next = this.#durableEnd = this.#end = Math.max(this.#end, end);
  }

  /** Resolves to a new id. If the log has failed it never resolves: the process ends. */
  take(): Promise<number> {
    if (this.#next < this.#durableEnd && this.#waiting.length === 0) return Promise.resolve(this.#next++);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#reserve();
    });
  }

  #reserve(): void {
    this.#end += blockSize;
    const end = this.#end;
    this.#host.record(end);
    this.#host.afterCommit(() => {
      this.#durableEnd = end;
      while (this.#waiting.length > 0 && this.#next < this.#durableEnd) this.#waiting.shift()!(this.#next++);
      if (this.#waiting.length > 0) this.#reserve();
    });
  }
}
