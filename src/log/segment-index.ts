import { systemCode } from './errors.ts';
import type { Files } from './files.ts';
import { OffsetIndex, TimeIndex } from './offset-index.ts';
import { readFile } from './whole-file.ts';

/** Index entries are written when this many are pending, and when the segment is sealed. */
const pendingMax = 256;
/** An index with less than one entry per this many bytes has been lost. */
const sparseBytes = 2 ** 21;
/** The most segments whose indexes stay in memory: 64 of full segments take some 16 MiB. */
const loadedMax = 64;

/** The context that the indexes of all segments share. */
export interface SegmentIndexContext {
  readonly files: Files;
  /** One entry per this many bytes. */
  readonly indexIntervalBytes: number;
  /** Indexes in memory, least recently used first. */
  readonly indexesLoaded: Set<SegmentIndex>;
}

/** The start of a search in a segment. */
export interface IndexFloor {
  /** The position of a batch. */
  readonly position: number;
  /**
   * The end offset of that batch, according to the index. Undefined at the start of the segment, where no
   * index is needed.
   */
  readonly endOffset: number | undefined;
}

/**
 * A segment index finds the batch of an offset or of a time, by two files beside the segment, `.index` and
 * `.timeindex`. They are written in pieces: the last entries are in memory only.
 *
 * Both files are caches. They are never synced, so after a crash they may have any content; a reader checks
 * an entry against its batch.
 */
export class SegmentIndex {
  readonly #context: SegmentIndexContext;
  readonly #baseOffset: number;
  readonly #offsetsPath: string;
  readonly #timesPath: string;
  /** Walks the segment to rebuild the index. */
  readonly #walk: () => Promise<OffsetIndex>;
  /** Entries not yet in the files. */
  #offsets = new OffsetIndex();
  #times = new TimeIndex();
  /** Of the whole segment. */
  #maxTimestampMs: number;
  #offsetOfMaxTimestamp = -1;
  #bytesSinceEntry = 0;
  /** The content of the offset index's file, while it is in use. */
  #loaded: Promise<OffsetIndex> | undefined = undefined;

  constructor(
    context: SegmentIndexContext,
    baseOffset: number,
    maxTimestampMs: number,
    paths: { readonly offsets: string; readonly times: string },
    walk: () => Promise<OffsetIndex>,
  ) {
    this.#context = context;
    this.#baseOffset = baseOffset;
    this.#maxTimestampMs = maxTimestampMs;
    this.#offsetsPath = paths.offsets;
    this.#timesPath = paths.times;
    this.#walk = walk;
  }

  /**
   * Notes a batch written at `position`. As in Kafka, the batch that starts after an interval gets an entry.
   */
  note(position: number, bytes: number, lastOffset: number, maxTimestampMs: number): void {
    if (maxTimestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = maxTimestampMs;
      this.#offsetOfMaxTimestamp = lastOffset;
    }
    if (this.#bytesSinceEntry > this.#context.indexIntervalBytes) {
      this.#offsets.add(lastOffset - this.#baseOffset, position);
      this.noteTime();
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += bytes;
  }

  /** Adds the latest time so far to the time index. */
  noteTime(): void {
    if (this.#offsetOfMaxTimestamp < 0) return;
    this.#times.add(this.#maxTimestampMs, this.#offsetOfMaxTimestamp - this.#baseOffset);
  }

  get isDue(): boolean {
    return this.#offsets.length >= pendingMax;
  }

  /** Writes pending entries to the files. If that fails they stay pending. `bytes` is the segment's size. */
  async write(bytes: number): Promise<void> {
    const offsets = this.#offsets;
    const times = this.#times;
    if (offsets.length === 0 && times.length === 0) return;
    try {
      const written = await this.#load(bytes);
      const writtenTimes = await this.#loadTimes();
      await this.#replaceTail(this.#offsetsPath, written.encode().length, offsets.encode());
      await this.#replaceTail(this.#timesPath, writtenTimes.encode().length, times.encode());
    } catch {
      return; // it is only a cache; final errors have been reported to the log already
    }
    this.#offsets = new OffsetIndex();
    this.#times = new TimeIndex();
    this.#loaded = undefined;
  }

  async #replaceTail(path: string, position: number, bytes: Uint8Array): Promise<void> {
    const file = await this.#context.files.open(path, { create: true });
    try {
      await file.truncate(position);
      await file.write(bytes, position);
    } finally {
      await file.close();
    }
  }

  /** The last indexed batch that ends at or before `offset`. */
  async floor(offset: number, bytes: number): Promise<IndexFloor> {
    const relative = offset - this.#baseOffset;
    for (const index of [this.#offsets, await this.#load(bytes)]) {
      const entry = index.floor(relative);
      if (entry >= 0)
        return { position: index.positionAt(entry), endOffset: this.#baseOffset + index.offsetAt(entry) + 1 };
    }
    return { position: 0, endOffset: undefined };
  }

  /** The position of the last batch in the pending part of the index that ends at or before `offset`. */
  pendingFloor(offset: number): number | undefined {
    const entry = this.#offsets.floor(offset - this.#baseOffset);
    return entry < 0 ? undefined : this.#offsets.positionAt(entry);
  }

  /**
   * Last offsets of batches up to which everything is older than `timestampMs`, if the index is right; best
   * first.
   */
  async before(timestampMs: number): Promise<number[]> {
    const found: number[] = [];
    for (const index of [this.#times, await this.#loadTimes()]) {
      const entry = index.before(timestampMs);
      if (entry >= 0) found.push(this.#baseOffset + index.offsetAt(entry));
    }
    return found;
  }

  async #loadTimes(): Promise<TimeIndex> {
    return TimeIndex.decode(await this.#read(this.#timesPath));
  }

  /** The content of an index file; empty if it does not exist or cannot be read. */
  async #read(path: string): Promise<Uint8Array> {
    try {
      return (await readFile(this.#context.files, path)) ?? new Uint8Array(0);
    } catch (error) {
      if (systemCode(error) !== 'EIO') throw error;
      return new Uint8Array(0);
    }
  }

  #load(bytes: number): Promise<OffsetIndex> {
    const loaded = this.#context.indexesLoaded;
    loaded.delete(this);
    loaded.add(this);
    if (loaded.size > loadedMax) {
      const [oldest] = loaded;
      loaded.delete(oldest!);
      oldest!.#loaded = undefined;
    }
    if (this.#loaded === undefined) {
      const loading = this.#loadNow(bytes);
      this.#loaded = loading;
      loading.catch(() => {
        if (this.#loaded === loading) this.#loaded = undefined;
      });
    }
    return this.#loaded;
  }

  async #loadNow(bytes: number): Promise<OffsetIndex> {
    const index = OffsetIndex.decode(await this.#read(this.#offsetsPath), bytes);
    const pendingFrom = this.#offsets.length > 0 ? this.#offsets.positionAt(0) : bytes;
    while (index.length > 0 && index.lastPosition >= pendingFrom) index.truncate(index.length - 1);
    return pendingFrom > Math.max(index.lastPosition, 0) + sparseBytes ? this.#walk() : index;
  }

  /** Replaces the index by a rebuilt one. */
  async replace(index: OffsetIndex, bytes: number): Promise<void> {
    this.#offsets = index;
    this.#loaded = Promise.resolve(new OffsetIndex());
    await this.#context.files.remove(this.#offsetsPath).catch(() => {}); // it may not exist
    await this.write(bytes);
  }
}
