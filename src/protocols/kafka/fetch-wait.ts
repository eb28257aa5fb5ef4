import type { Budgets, Partition, PartitionWatcher } from '../../broker/index.ts';
import type { Timer } from '../../util/index.ts';
import { chargeOfFetch, mayWait } from './fetch-room.ts';
import type { KafkaSession } from './handler.ts';
import type { KafkaHost } from './kafka-host.ts';
import { readableEnd } from './partition-view.ts';

/** A partition that a client reads, from an offset on. */
export interface Wanted {
  readonly wanted: { readonly fetchOffset: number };
  readonly partition: Partition | undefined;
}

/**
 * A fetch wait is a fetch request that waits until its partitions have enough bytes, its time is up, or its
 * client has disconnected. There is one object for all partitions, and no work per message.
 */
export class FetchWait implements PartitionWatcher {
  readonly #targets: readonly Wanted[];
  readonly #bytesMin: number;
  readonly #isolationLevel: number;
  readonly #budgets: Budgets;
  #resolve: () => void = () => {};
  #timer: Timer | undefined = undefined;
  #unhook: () => void = () => {};
  #hasEnded = false;

  private constructor(
    targets: readonly Wanted[],
    bytesMin: number,
    isolationLevel: number,
    budgets: Budgets,
  ) {
    this.#budgets = budgets;
    this.#targets = targets;
    this.#bytesMin = bytesMin;
    this.#isolationLevel = isolationLevel;
  }

  /**
   * Resolves when the fetch should read. `enough`: it can read now. `no-room`: it may not wait, because too
   * many partitions are waited on already.
   */
  static until(
    targets: readonly Wanted[],
    bytesMin: number,
    isolationLevel: number,
    waitMs: number,
    host: KafkaHost,
    session: KafkaSession,
  ): Promise<void> | 'enough' | 'no-room' {
    const wait = new FetchWait(targets, bytesMin, isolationLevel, host.broker.budgets);
    if (wait.#hasEnough()) return 'enough';
    return mayWait(host.broker.budgets, targets.length) ? wait.#start(waitMs, host, session) : 'no-room';
  }

  #start(waitMs: number, host: KafkaHost, session: KafkaSession): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#budgets.take('waitingFetches', this.#charge);
      for (const { partition } of this.#targets) partition?.watch(this);
      this.#timer = host.clock.setTimer(waitMs, () => this.#end());
      this.#unhook = session.onClose(() => this.#end());
    });
  }

  get #charge(): number {
    return chargeOfFetch(this.#targets.length);
  }

  grew({ topic }: Partition): void {
    if (topic.isDeleted || this.#hasEnough()) this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#budgets.release('waitingFetches', this.#charge);
    for (const { partition } of this.#targets) partition?.unwatch(this);
    this.#timer?.cancel();
    this.#unhook();
    this.#resolve();
  }

  /** Whether the partitions have the minimum of bytes to read. */
  #hasEnough(): boolean {
    let bytes = 0;
    for (const target of this.#targets) {
      if (!hasMore(target, this.#isolationLevel)) continue;
      if (this.#bytesMin <= 1) return true;
      bytes += bytesToRead(target, this.#isolationLevel);
      if (bytes >= this.#bytesMin) return true;
    }
    return bytes >= this.#bytesMin;
  }
}

function hasMore({ partition, wanted }: Wanted, isolationLevel: number): boolean {
  return partition !== undefined && wanted.fetchOffset < readableEnd(partition, isolationLevel);
}

/** Number of bytes to read from a partition. A batch that is read from its middle counts completely. */
export function bytesToRead(target: Wanted, isolationLevel: number): number {
  if (!hasMore(target, isolationLevel)) return 0;
  const { wanted, partition } = target;
  const end = readableEnd(partition!, isolationLevel);
  const bytes = partition!.log.bytesFrom(wanted.fetchOffset);
  return end < partition!.nextOffset ? bytes - partition!.log.bytesFrom(end) : bytes;
}
