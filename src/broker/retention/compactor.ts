import type { Clock, Timer } from '../../util/index.ts';
import type { Partition } from '../partitions/partition.ts';

const everyMs = 10_000;
/** A sealed segment is rewritten if less than this share of its messages is live. */
const liveShareMin = 0.5;

/**
 * The compactor rewrites segments that are kept for a few old messages: most of their messages are gone, but
 * whole segments can only be dropped from the front. It rewrites one segment at a time, to leave room for
 * other work.
 */
export class Compactor {
  readonly #clock: Clock;
  readonly #partitions: () => Iterable<Partition>;
  #timer: Timer | undefined = undefined;
  #running: Promise<number> | undefined = undefined;
  #stopped = false;

  constructor(clock: Clock, partitions: () => Iterable<Partition>) {
    this.#clock = clock;
    this.#partitions = partitions;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimer(everyMs, () => {
      void this.run().finally(() => this.start());
    });
  }

  /** Ends the timer and waits for the segment that is being rewritten. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Checks all partitions now; resolves to the number of rewritten segments. */
  run(): Promise<number> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<number> {
    let rewritten = 0;
    for (const partition of this.#partitions()) {
      if (partition.deletedCount === 0 || partition.log.volatile) continue;
      for (const { baseOffset, endOffset } of partition.log.segments()) {
        if (this.#stopped || partition.topic.isDeleted) return rewritten;
        if (endOffset <= partition.firstOffset) continue; // dropped whole
        const live = partition.liveIn(baseOffset, endOffset);
        const before = partition.compactedLive.get(baseOffset) ?? endOffset - baseOffset;
        if (live >= before * liveShareMin) continue;
        try {
          await partition.log.compact(baseOffset, (offset) => partition.isNeeded(offset));
          partition.compactedLive.set(baseOffset, Math.max(1, live));
          rewritten++;
        } catch {
          return rewritten; // the log reports its own errors; the next round tries again
        }
      }
    }
    return rewritten;
  }
}
