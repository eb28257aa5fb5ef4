import { Record, type Batch, type PartitionLog } from '../../log/index.ts';
import { OffsetSet } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import type { Pacing } from '../pacing.ts';
import type { TopicConfig } from '../topics/topic-config.ts';
import { KeyReader, keyText } from './filter.ts';
import { KeyIndex } from './key-index.ts';
import type { RecordReader } from './record-reader.ts';

/** The part of a partition that its key accounting uses. */
interface AccountedPartition {
  readonly index: number;
  readonly topic: { noteRemoved(partition: number, key: string, offset: number): void };
  readonly log: PartitionLog;
  readonly firstOffset: number;
  readonly count: number;
  isLive(offset: number): boolean;
  reader(): RecordReader;
  batchAt(offset: number): Promise<Batch | undefined>;
  scan(fromOffset: number, options: { toOffset: number; undecided: true }): AsyncIterable<Record>;
  /** Lets the log drop removed messages that are accounted for. */
  trimLog(): void;
}

/** The services that the broker offers to the key accounting. */
interface KeyAccountingHost {
  readonly budgets: Budgets;
  readonly pacing: Pacing;
  afterCommit(callback: () => void): void;
}

const soonAfter = 1024;
/** Bytes read in one turn of the event loop. */
const sliceBytes = 2 ** 18;

/**
 * Key accounting updates the key index of a partition after removals.
 *
 * The caller that removes a message does not know its key. The offset is noted, and the key is found a little
 * later, in runs, by reading the messages again. Until then the log keeps the messages, and the counts of the
 * index are too high.
 */
export class KeyAccounting {
  readonly #partition: AccountedPartition;
  readonly #afterCommit: (callback: () => void) => void;
  readonly #budgets: Budgets;
  readonly #pacing: Pacing;
  #index: KeyIndex | undefined;
  #closed = false;
  readonly #removed = new OffsetSet();
  /** Keys appended since the current rebuild of the index began. */
  #appendedMeanwhile: [key: string, offset: number][] | undefined = undefined;
  #running: Promise<void> | undefined = undefined;
  #rebuilding: Promise<void> | undefined = undefined;
  readonly #reader: RecordReader;
  readonly #record = new Record();
  readonly #keyReader = new KeyReader();

  constructor(
    partition: AccountedPartition,
    { keyState, messagesPerKeyMax, compaction }: TopicConfig,
    host: KeyAccountingHost,
  ) {
    this.#budgets = host.budgets;
    this.#pacing = host.pacing;
    this.#partition = partition;
    this.#afterCommit = (callback) => host.afterCommit(callback);
    this.#reader = partition.reader();
    this.#index = keyState ? this.#newIndex(messagesPerKeyMax !== undefined || compaction) : undefined;
  }

  /** Undefined if the topic keeps no state by key, and until a first index has been built. */
  get index(): KeyIndex | undefined {
    return this.#index;
  }

  /** Whether the keys of appended messages are needed, by the index or by one that is being built. */
  get wantsKeys(): boolean {
    return this.#index !== undefined || this.#appendedMeanwhile !== undefined;
  }

  /** Number of removed messages whose keys are not accounted for yet. */
  get size(): number {
    return this.#removed.size;
  }

  has(offset: number): boolean {
    return this.#removed.size > 0 && this.#removed.has(offset);
  }

  /** The lowest offset of these; Infinity if there is none. */
  get first(): number {
    return this.#removed.size === 0 ? Infinity : this.#removed.nextPresent(0)!;
  }

  /** State for a checkpoint. */
  get offsets(): OffsetSet {
    return this.#removed;
  }

  // ---- what happens to messages

  /** A message was appended. */
  appended(record: Record): void {
    if (!this.wantsKeys) return;
    const key = this.#keyReader.read(record);
    this.#index?.add(key, record.offset);
    this.#appendedMeanwhile?.push([key, record.offset]);
  }

  /** Live messages were removed and are to be accounted for. */
  removed(from: number, to: number = from + 1): void {
    if (this.#index && from < to) this.#removed.addRange(from, to);
  }

  /** Restores the state of a checkpoint. */
  restore(offsets: OffsetSet): void {
    for (const [from, to] of offsets.runs()) this.#removed.addRange(from, to);
  }

  #newIndex(withOffsets: boolean): KeyIndex {
    return new KeyIndex({ withOffsets, meter: this.#budgets.meter('keys') });
  }

  /** Called when the topic is deleted. */
  close(): void {
    this.#closed = true;
    this.#index?.close();
  }

  /** Called when no message is left: there is nothing to account for. */
  clear(): void {
    this.#index?.clear();
    this.#removed.clear();
  }

  // ---- accounting

  /** Updates the key index after removals. Calls share one run; resolves when nothing is left to do. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The same for callers that do not wait. Messages that cannot be read now are accounted for later. */
  runSoon(): void {
    this.run().catch(() => undefined);
  }

  /** The same, if there are enough removed messages to be worth the reading. */
  runIfDue(): void {
    if (this.#removed.size >= soonAfter) this.runSoon();
  }

  async #run(): Promise<void> {
    const { log, topic, index } = this.#partition;
    const record = this.#record;
    /** Set if removed messages could not be read: the counts of the index may be too high. */
    let keysLost = false;
    let bytes = 0;
    for (let at = this.#removed.nextPresent(0); at !== undefined; at = this.#removed.nextPresent(at)) {
      if (at >= log.durableEnd) return; // still in the open commit; called again after it
      const batch = await this.#partition.batchAt(at);
      if (!batch || batch.baseOffset > at) {
        // Lost to damage, or compacted away before a crash that undid the accounting: the keys cannot be
        // found.
        keysLost = true;
        at = batch ? batch.baseOffset : log.durableEnd;
        continue;
      }
      this.#reader.reset(batch, at);
      while (this.#reader.next(record)) {
        if (!this.#removed.has(record.offset)) continue;
        this.#removed.delete(record.offset);
        const key = this.#keyReader.read(record);
        this.#index?.remove(key, record.offset);
        topic.noteRemoved(index, key, record.offset);
      }
      const left = this.#removed.nextPresent(at);
      if (left !== undefined && left < batch.endOffset) keysLost = true;
      at = batch.endOffset;
      bytes += batch.compressed ? batch.openedBytes : batch.bytes;
      if (bytes < sliceBytes && !this.#reader.wasCostly) continue;
      // All of this may have been in memory, and more may follow: other work gets a turn.
      bytes = 0;
      await this.#pacing.wait();
    }
    if (keysLost && this.#index) {
      if (this.#index.messages === this.#partition.count) this.#removed.clear();
      else await this.#rebuild(this.#index.withOffsets);
    }
    this.#partition.trimLog();
  }

  /** Updates one key at once, if its offsets are kept. */
  accountKey(key: string): void {
    if (this.#removed.size === 0) return;
    const gone = this.#index?.get(key)?.offsets?.filter((offset) => this.#removed.has(offset)) ?? [];
    for (const offset of gone) {
      this.#removed.delete(offset);
      this.#index!.remove(key, offset);
      this.#partition.topic.noteRemoved(this.#partition.index, key, offset);
    }
  }

  // ---- rebuilding the index

  /**
   * Builds an index for a partition that had none, or one that keeps every offset. Until that is done,
   * {@link index} does not change.
   */
  async track(options: { readonly withOffsets: boolean }): Promise<void> {
    const isEnough = (): boolean =>
      this.#index !== undefined && (this.#index.withOffsets || !options.withOffsets);
    // Builds another one if the build in progress is without offsets.
    while (!isEnough()) await this.#rebuild(options.withOffsets);
  }

  #rebuild(withOffsets: boolean): Promise<void> {
    this.#rebuilding ??= this.#readIndex(withOffsets).finally(() => {
      this.#rebuilding = undefined;
    });
    return this.#rebuilding;
  }

  /** Builds an index by reading every live message. */
  async #readIndex(withOffsets: boolean): Promise<void> {
    const partition = this.#partition;
    const meanwhile: [string, number][] = (this.#appendedMeanwhile = []);
    const index = this.#newIndex(withOffsets);
    try {
      const end = partition.log.endOffset;
      await new Promise<void>((resolve) => this.#afterCommit(resolve)); // a scan reads only durable messages
      const found: [string, number][] = [];
      for await (const record of partition.scan(partition.firstOffset, { toOffset: end, undecided: true }))
        found.push([keyText(record), record.offset]);
      for (const [key, offset] of found) if (partition.isLive(offset)) index.add(key, offset);
      for (const [key, offset] of meanwhile) if (partition.isLive(offset)) index.add(key, offset);
      this.#index?.close();
      this.#index = index;
      this.#removed.clear(); // the new index does not contain them
    } finally {
      if (this.#closed || this.#index !== index) index.close();
      this.#appendedMeanwhile = undefined;
    }
  }
}
