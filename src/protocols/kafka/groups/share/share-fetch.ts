import { Collector, type Delivery } from '../../../../broker/index.ts';
import type { Clock } from '../../../../util/index.ts';
import { encodeRecordBatch, type NewRecord, type Uuid } from '../../../../wire/kafka/index.ts';

/** A record that was acquired, with bytes of its own. */
interface AcquiredRecord extends NewRecord {
  readonly offset: number;
  readonly deliveries: number;
}

/** Records that one fetch acquired of one partition. */
export interface AcquiredPartition {
  readonly topicId: Uuid;
  readonly partition: number;
  readonly records: Buffer;
  readonly acquired: readonly AcquiredRange[];
}

/** Consecutive records that were delivered as often. */
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

/** What Kafka's delivery count can say. */
const deliveryCountMax = 32_767;

/**
 * A share fetch collects what the broker's groups deliver to one member, until there is enough, as much as it
 * takes, or its time is over. What is there at once is answered at once.
 */
export class ShareFetch {
  readonly #found = new Map<Uuid, Map<number, AcquiredRecord[]>>();
  readonly #collector: Collector;

  /** `done` is called once, when the fetch takes nothing more. */
  constructor({ clock, recordsMax, bytesMin, bytesMax, waitMs }: ShareFetchOptions, done: () => void) {
    this.#collector = new Collector(
      clock,
      { messagesMax: recordsMax, bytesMin, bytesMax, takesAnyFirst: true, waitMs },
      { collected: ({ bytes }) => bytes, completed: done },
    );
  }

  /** Several groups deliver to one fetch: this is what all of them together may. */
  get credit(): number {
    return this.#collector.credit;
  }

  /** One record goes, however large it is. */
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

  /** The next record does not fit any more. */
  full(): void {
    this.#collector.refused();
  }

  /** Once the deliveries that are under way have been made. */
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
  // Redeliveries came first, whatever their offsets.
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
