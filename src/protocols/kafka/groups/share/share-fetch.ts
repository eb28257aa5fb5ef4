import { Collector, type Delivery } from '../../../../broker/index.ts';
import type { Clock } from '../../../../util/index.ts';
import { encodeRecordBatch, type NewRecord, type Uuid } from '../../../../wire/kafka/index.ts';

/** An acquired record, with its own copy of the bytes. */
interface AcquiredRecord extends NewRecord {
  readonly offset: number;
  readonly deliveries: number;
}

/** Records that one fetch acquired from one partition. */
export interface AcquiredPartition {
  readonly topicId: Uuid;
  readonly partition: number;
  readonly records: Buffer;
  readonly acquired: readonly AcquiredRange[];
}

/** Consecutive records with the same delivery count. */
export interface AcquiredRange {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

export interface ShareFetchOptions {
  readonly clock: Clock;
  readonly recordsMax: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly waitMs: number;
}

/** Largest delivery count in the wire format (a 16-bit integer). */
const deliveryCountMax = 32_767;

/**
 * A share fetch collects the deliveries of the broker's groups to one member, until it has the minimum of
 * bytes, the maximum of records or bytes, or its time is over. Records that are available at once are
 * answered at once.
 */
export class ShareFetch {
  readonly #found = new Map<Uuid, Map<number, AcquiredRecord[]>>();
  readonly #collector: Collector;

  /** `done` is called once, when the fetch stops taking records. */
  constructor({ clock, recordsMax, bytesMin, bytesMax, waitMs }: ShareFetchOptions, done: () => void) {
    this.#collector = new Collector(
      clock,
      { messagesMax: recordsMax, bytesMin, bytesMax, takesAnyFirst: true, waitMs },
      { collected: ({ bytes }) => bytes, completed: done },
    );
  }

  /** Records that all groups together may still deliver to this fetch. */
  get credit(): number {
    return this.#collector.credit;
  }

  /** The first record is taken whatever its size. */
  get creditBytes(): number {
    return this.#collector.creditBytes;
  }

  take(topicId: Uuid, delivery: Delivery): void {
    const { record, partition, deliveries } = delivery;
    const partitions = this.#found.get(topicId) ?? new Map<number, AcquiredRecord[]>();
    this.#found.set(topicId, partitions);
    const records = partitions.get(partition) ?? [];
    partitions.set(partition, records);
    records.push({
      offset: record.offset,
      deliveries,
      key: copy(record.key),
      value: copy(record.value),
      headers: record.headers.map(({ name, value }) => ({ name, value: copy(value) })),
      timestampMs: record.timestampMs,
    });
    this.#collector.receive(delivery);
  }

  /** The next record does not fit. */
  full(): void {
    this.#collector.refused();
  }

  /** Ends the fetch once the current deliveries have been made. */
  endSoon(): void {
    this.#collector.endSoon();
  }

  end(): void {
    this.#collector.end();
  }

  result(): AcquiredPartition[] {
    const result: AcquiredPartition[] = [];
    for (const [topicId, partitions] of this.#found)
      for (const [partition, records] of partitions)
        result.push(acquiredPartition(topicId, partition, records));
    return result;
  }
}

function acquiredPartition(topicId: Uuid, partition: number, records: AcquiredRecord[]): AcquiredPartition {
  // Redeliveries come first, whatever their offsets.
  records.sort((a, b) => a.offset - b.offset);
  const baseOffset = records[0]!.offset;
  const batch = records.map(({ offset, ...record }) => ({ ...record, offsetDelta: offset - baseOffset }));
  const acquired: AcquiredRange[] = [];
  for (const { offset, deliveries } of records) {
    const deliveryCount = Math.min(deliveries, deliveryCountMax);
    const last = acquired.at(-1);
    if (last && last.lastOffset === offset - 1 && last.deliveryCount === deliveryCount)
      acquired[acquired.length - 1] = { ...last, lastOffset: offset };
    else acquired.push({ firstOffset: offset, lastOffset: offset, deliveryCount });
  }
  return { topicId, partition, records: encodeRecordBatch(batch, { baseOffset, leaderEpoch: 0 }), acquired };
}

function copy(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
