import { Record, type Batch, type PartitionLog } from '../../log/index.ts';
import { OffsetSet } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import type { TopicConfig } from '../topics/topic-config.ts';
import { KeyReader, keyText } from './filter.ts';
import { KeyIndex } from './key-index.ts';
import type { RecordReader } from './record-reader.ts';

/** A partition as its key accounting knows it. */
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
  /** The log may drop what is accounted for. */
  trimLog(): void;
}

const soonAfter = 1024;

/**
 * Key accounting keeps the key index of a partition in step with what was removed.
 *
 * Who removes a message does not know its key. The offset is noted, and the key is found a little later, in
 * runs, by reading the messages once more; until then the log keeps them, and the index counts too many.
 */
export class KeyAccounting {
  readonly #partition: AccountedPartition;
  readonly #afterCommit: (callback: () => void) => void;
  readonly #budgets: Budgets;
  #index: KeyIndex | undefined;
  #closed = false;
  readonly #removed = new OffsetSet();
  /** Keys appended since the index began to be rebuilt. */
  #appendedMeanwhile: [key: string, offset: number][] | undefined = undefined;
  #running: Promise<void> | undefined = undefined;
  #rebuilding: Promise<void> | undefined = undefined;
  readonly #reader: RecordReader;
  readonly #record = new Record();
  readonly #keyReader = new KeyReader();

  constructor(
    partition: AccountedPartition,
    { keyState, messagesPerKeyMax, compaction }: TopicConfig,
    budgets: Budgets,
    afterCommit: (callback: () => void) => void,
  ) {
    this.#budgets = budgets;
    this.#partition = partition;
    this.#afterCommit = afterCommit;
    this.#reader = partition.reader();
    this.#index = keyState ? this.#newIndex(messagesPerKeyMax !== undefined || compaction) : undefined;
  }

  /** Undefined where the topic keeps no state by key, and until a first index has been read together. */
  get index(): KeyIndex | undefined {
    return this.#index;
  }

  /** Whether the keys of what is appended must be known: to the index, or to one that is being made. */
  get wantsKeys(): boolean {
    return this.#index !== undefined || this.#appendedMeanwhile !== undefined;
  }

  /** Messages removed whose keys are not accounted for yet. */
  get size(): number {
    return this.#removed.size;
  }

  has(offset: number): boolean {
    return this.#removed.size > 0 && this.#removed.has(offset);
  }

  /** The lowest of them; Infinity when there is none. */
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

  /** Live messages were removed: to be accounted for. */
  removed(from: number, to: number = from + 1): void {
    if (this.#index && from < to) this.#removed.addRange(from, to);
  }

  /** As a checkpoint has it. */
  restore(offsets: OffsetSet): void {
    for (const [from, to] of offsets.runs()) this.#removed.addRange(from, to);
  }

  #newIndex(withOffsets: boolean): KeyIndex {
    return new KeyIndex({ withOffsets, meter: this.#budgets.meter('keys') });
  }

  /** The topic is gone. */
  close(): void {
    this.#closed = true;
    this.#index?.close();
  }

  /** No message is left: there is nothing to be read for. */
  clear(): void {
    this.#index?.clear();
    this.#removed.clear();
  }

  // ---- accounting

  /** Brings the key index up to date with what was removed. One at a time; resolves when nothing is left. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The same, for nobody who waits. What cannot be read now is accounted for later. */
  runSoon(): void {
    this.run().catch(() => undefined);
  }

  /** The same, once it is worth the reading. */
  runIfDue(): void {
    if (this.#removed.size >= soonAfter) this.runSoon();
  }

  async #run(): Promise<void> {
    const { log, topic, index } = this.#partition;
    const record = this.#record;
    /** Messages went of which nobody knows the key: the index may count too many. */
    let keysLost = false;
    for (let at = this.#removed.nextPresent(0); at !== undefined; at = this.#removed.nextPresent(at)) {
      if (at >= log.durableEnd) return; // still in the open commit; asked again after it
      const batch = await this.#partition.batchAt(at);
      if (!batch || batch.baseOffset > at) {
        // Lost to damage, or compacted away before a crash that took the accounting with it: nothing says
        // which keys these were.
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
    }
    if (keysLost && this.#index) {
      if (this.#index.messages === this.#partition.count) this.#removed.clear();
      else await this.#rebuild(this.#index.withOffsets);
    }
    this.#partition.trimLog();
  }

  /** Brings one key up to date at once, where its offsets are kept. */
  accountKey(key: string): void {
    if (this.#removed.size === 0) return;
    const gone = this.#index?.get(key)?.offsets?.filter((offset) => this.#removed.has(offset)) ?? [];
    for (const offset of gone) {
      this.#removed.delete(offset);
      this.#index!.remove(key, offset);
      this.#partition.topic.noteRemoved(this.#partition.index, key, offset);
    }
  }

  // ---- the index anew

  /**
   * Reads an index together for a partition that had none, from the messages it holds, or makes the one it
   * has keep every offset. Until that is done {@link index} is what it was.
   */
  async track(options: { readonly withOffsets: boolean }): Promise<void> {
    const isEnough = (): boolean =>
      this.#index !== undefined && (this.#index.withOffsets || !options.withOffsets);
    // Again if it was one that was being made already, without offsets.
    while (!isEnough()) await this.#rebuild(options.withOffsets);
  }

  #rebuild(withOffsets: boolean): Promise<void> {
    this.#rebuilding ??= this.#readIndex(withOffsets).finally(() => {
      this.#rebuilding = undefined;
    });
    return this.#rebuilding;
  }

  /** Reads every live message to count its key anew. */
  async #readIndex(withOffsets: boolean): Promise<void> {
    const partition = this.#partition;
    const meanwhile: [string, number][] = (this.#appendedMeanwhile = []);
    const index = this.#newIndex(withOffsets);
    try {
      const end = partition.log.endOffset;
      await new Promise<void>((resolve) => this.#afterCommit(resolve)); // a scan sees what is durable
      const found: [string, number][] = [];
      for await (const record of partition.scan(partition.firstOffset, { toOffset: end, undecided: true }))
        found.push([keyText(record), record.offset]);
      for (const [key, offset] of found) if (partition.isLive(offset)) index.add(key, offset);
      for (const [key, offset] of meanwhile) if (partition.isLive(offset)) index.add(key, offset);
      this.#index?.close();
      this.#index = index;
      this.#removed.clear(); // the new index never knew them
    } finally {
      if (this.#closed || this.#index !== index) index.close();
      this.#appendedMeanwhile = undefined;
    }
  }
}
