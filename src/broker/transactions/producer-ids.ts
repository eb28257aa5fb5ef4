/** Ids are written down so many at a time: those of a block that a crash left unused are never given out. */
const blockSize = 1000;

/** What producer ids need from the broker around them. */
export interface ProducerIdsHost {
  /** Writes down that every id below is taken. */
  record(end: number): void;
  afterCommit(callback: () => void): void;
}

/**
 * Producer ids are numbers that no two producers ever share, not even across restarts: the end of the block
 * they are from is on disk before the first of it is given out.
 */
export class ProducerIds {
  readonly #host: ProducerIdsHost;
  #next = 0;
  /** Every id below may have been given out, says the disk; and what is on its way there. */
  #durableEnd = 0;
  #end = 0;
  #waiting: ((id: number) => void)[] = [];

  constructor(host: ProducerIdsHost) {
    this.#host = host;
  }

  /** As a checkpoint keeps it. */
  get end(): number {
    return this.#end;
  }

  /** Replays the end of a block: ids begin anew there. */
  restore(end: number): void {
    this.#next = this.#durableEnd = this.#end = Math.max(this.#end, end);
  }

  /** A new id. It never resolves when the log has failed: the process ends. */
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
