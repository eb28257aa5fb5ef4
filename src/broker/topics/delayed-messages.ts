import type { PartitionLog, Record } from '../../log/index.ts';
import { ByteWriter, type Clock, type SteadyTime } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import { EntryKind, writeScheduleTrimmed } from '../entries.ts';
import type { Filter } from '../partitions/filter.ts';
import type { Partition } from '../partitions/partition.ts';
import { Runs } from '../partitions/runs.ts';
import type { PublishListener } from './publishes.ts';
import { Schedule } from './schedule.ts';

/** The services that the broker offers to delayed messages. */
export interface DelayedMessagesHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  /** Adds an entry to the open commit. */
  record(kind: number, id: number, payload: Uint8Array): void;
  /** Calls `published` of the listener when the open commit is durable. */
  awaitScheduled<T>(listener: PublishListener<T>, token: T, partition: Partition): void;
  /** Appends a message that is due, unless its partition was deleted. */
  append(partitionId: number, record: Record): void;
}

/**
 * Delayed messages wait in the {@link Schedule} until they are due. The open commit records messages that are
 * scheduled, taken back or due. A due message leaves the schedule and enters its topic in the same commit.
 */
export class DelayedMessages {
  readonly schedule: Schedule;
  readonly #host: DelayedMessagesHost;
  readonly #scratch = new ByteWriter();

  /** `log`: stores the messages of the schedule. */
  constructor(log: PartitionLog, host: DelayedMessagesHost, meter: Meter) {
    this.#host = host;
    const { clock, steady } = host;
    const due = (partitionId: number, offset: number, record: Record): void => {
      record.timestampMs = clock.now(); // the age counts from here, and the log's times do not go backwards
      host.append(partitionId, record);
      host.record(EntryKind.unscheduled, 0, this.#scratch.reset().uvarint(offset).view());
    };
    this.schedule = new Schedule(log, { clock, steady, due }, meter);
  }

  /** Stores the message until `dueMs` (wall clock). */
  add<T>(partition: Partition, record: Record, dueMs: number, listener: PublishListener<T>, token: T): void {
    const { id } = partition.log;
    const offset = this.schedule.append(record);
    this.#host.record(EntryKind.scheduled, id, this.#scratch.reset().uvarint(offset).uvarint(dueMs).view());
    this.schedule.add(offset, dueMs, id);
    this.#host.awaitScheduled(listener, token, partition);
  }

  /**
   * Removes delayed messages of the partition: all, or those whose keys pass the filter, in one commit.
   * Returns their number.
   */
  takeBack({ log: { id } }: Partition, filter: Filter | undefined): number | Promise<number> {
    if (filter === undefined) return this.#takeBack(this.schedule.offsetsOf(id));
    return this.schedule.matching(id, filter).then((offsets) => this.#takeBack(offsets));
  }

  #takeBack(offsets: readonly number[]): number {
    if (offsets.length === 0) return 0;
    const runs = new Runs();
    for (const offset of offsets) runs.add(offset);
    writeScheduleTrimmed(this.#scratch.reset(), runs.bounds());
    this.#host.record(EntryKind.scheduleTrimmed, 0, this.#scratch.view());
    this.schedule.remove(offsets);
    return offsets.length;
  }
}
