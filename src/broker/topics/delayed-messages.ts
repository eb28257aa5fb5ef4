import type { PartitionLog, Record } from '../../log/index.ts';
import { ByteWriter, type Clock, type SteadyTime } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import { EntryKind, writeDelayTrimmed } from '../entries.ts';
import type { Filter } from '../partitions/filter.ts';
import type { Partition } from '../partitions/partition.ts';
import { Runs } from '../partitions/runs.ts';
import type { PublishListener } from './publishes.ts';
import { DelayLog } from './delay-log.ts';

/** The services that the broker offers to delayed messages. */
export interface DelayedMessagesHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  /** Adds an entry to the open commit. */
  record(kind: number, id: number, payload: Uint8Array): void;
  /** Calls `published` of the listener when the open commit is durable. */
  awaitDelayed<T>(listener: PublishListener<T>, token: T, partition: Partition): void;
  /** Appends a message that is due, unless its partition was deleted. */
  append(partitionId: number, record: Record): void;
}

/**
 * Delayed messages wait in the {@link DelayLog} until they are due. The open commit records messages that are
 * delayed, taken back or due. A due message leaves the log of delayed messages and enters its topic in the same
 * commit.
 */
export class DelayedMessages {
  readonly log: DelayLog;
  readonly #host: DelayedMessagesHost;
  readonly #scratch = new ByteWriter();

  /** `log`: stores the messages. */
  constructor(log: PartitionLog, host: DelayedMessagesHost, meter: Meter) {
    this.#host = host;
    const { clock, steady } = host;
    const due = (partitionId: number, offset: number, record: Record): void => {
      record.timestampMs = clock.now(); // the age counts from here, and the log's times do not go backwards
      host.append(partitionId, record);
      host.record(EntryKind.undelayed, 0, this.#scratch.reset().uvarint(offset).view());
    };
    this.log = new DelayLog(log, { clock, steady, due }, meter);
  }

  /** Stores the message until `dueMs` (wall clock). */
  add<T>(partition: Partition, record: Record, dueMs: number, listener: PublishListener<T>, token: T): void {
    const { id } = partition.log;
    const offset = this.log.append(record);
    this.#host.record(EntryKind.delayed, id, this.#scratch.reset().uvarint(offset).uvarint(dueMs).view());
    this.log.add(offset, dueMs, id);
    this.#host.awaitDelayed(listener, token, partition);
  }

  /**
   * Removes delayed messages of the partition: all, or those whose keys pass the filter, in one commit.
   * Returns their number.
   */
  takeBack({ log: { id } }: Partition, filter: Filter | undefined): number | Promise<number> {
    if (filter === undefined) return this.#takeBack(this.log.offsetsOf(id));
    return this.log.matching(id, filter).then((offsets) => this.#takeBack(offsets));
  }

  #takeBack(offsets: readonly number[]): number {
    if (offsets.length === 0) return 0;
    const runs = new Runs();
    for (const offset of offsets) runs.add(offset);
    writeDelayTrimmed(this.#scratch.reset(), runs.bounds());
    this.#host.record(EntryKind.delayTrimmed, 0, this.#scratch.view());
    this.log.remove(offsets);
    return offsets.length;
  }
}
