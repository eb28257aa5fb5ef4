import type { Files } from '../log/index.ts';
import type { Clock, Timer } from '../util/index.ts';
import { BrokerError } from './errors.ts';

/**
 * Marks past which the broker refuses publishes, and past those of memory all that would grow, while
 * consumers go on.
 */
export interface WatermarkOptions {
  /**
   * Publishes are refused while the disk has less free, in bytes; undefined = 256 MiB, or an eighth of the
   * disk if that is less.
   */
  readonly diskFreeBytesMin: number | undefined;
  /** Publishes are refused while the process uses more, in bytes; Infinity = never. */
  readonly memoryBytesMax: number;
  /** The same for V8's heap, whose limit (`--max-old-space-size`) ends the process; Infinity = never. */
  readonly heapBytesMax: number;
}

const checkEveryMs = 1000;
const defaultDiskFreeBytesMin = 256 * 1024 * 1024;
const defaultDiskShare = 1 / 8;
/**
 * How far back the disk's filling is looked at: a journal file is filled at once, and others write to it too.
 */
const trendMs = 60_000;
/**
 * The disk is looked at once more when this share of what is free above the mark was written, but not for
 * less than this share of the mark.
 */
const lookShareOfFree = 1 / 4;
const lookShareOfMark = 1 / 16;
/** Publishes are let in again when so much more than the mark is free. */
const hysteresis = 1.1;

/**
 * Watermarks look at disk and memory once a second, and at the disk the oftener the faster it fills, and say
 * why no publish is accepted while a mark is passed.
 */
export class Watermarks {
  readonly #options: WatermarkOptions;
  readonly #files: Files;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #memoryBytes: () => number;
  readonly #checked: (diskFull: boolean) => void;
  #diskFreeBytesMin = 0;
  readonly #heapBytes: () => number;
  readonly #unflushedBytes: () => number;
  #writtenBytes = 0;
  /** Written by the time of the next look, if it is not by time. */
  #lookAtBytes = Infinity;
  #timer: Timer | undefined = undefined;
  #stopped = false;
  #diskFull = false;
  #memoryFull = false;
  #refusal: BrokerError | undefined = undefined;
  #memoryRefusal: BrokerError | undefined = undefined;
  diskFreeBytes: number | undefined = undefined;
  /** Free bytes as they were, oldest first. */
  #trend: { readonly atMs: number; readonly freeBytes: number }[] = [];

  constructor(
    options: WatermarkOptions,
    seams: {
      files: Files;
      dir: string;
      clock: Clock;
      memoryBytes: () => number;
      heapBytes: () => number;
      /** Accepted, and yet to take room on the disk. */
      unflushedBytes: () => number;
      /** Told after each look. */
      checked: (diskFull: boolean) => void;
    },
  ) {
    this.#options = options;
    this.#files = seams.files;
    this.#dir = seams.dir;
    this.#clock = seams.clock;
    this.#memoryBytes = seams.memoryBytes;
    this.#checked = seams.checked;
    this.#heapBytes = seams.heapBytes;
    this.#unflushedBytes = seams.unflushedBytes;
  }

  get diskFull(): boolean {
    return this.#diskFull;
  }

  get memoryFull(): boolean {
    return this.#memoryFull;
  }

  get refusal(): BrokerError | undefined {
    return this.#refusal;
  }

  /** Why nothing may grow in memory now, if so; `looks`: as it is at this moment, and not a second ago. */
  memoryRefusal(looks: boolean): BrokerError | undefined {
    if (looks) this.#lookAtMemory();
    return this.#memoryRefusal;
  }

  /**
   * Until the disk's watermark is passed, if it goes on as in the last minute; undefined when it does not
   * near.
   */
  get diskTimeToFullMs(): number | undefined {
    const [first] = this.#trend;
    const last = this.#trend[this.#trend.length - 1];
    if (!first || !last || first.atMs === last.atMs || first.freeBytes <= last.freeBytes) return undefined;
    const bytesPerMs = (first.freeBytes - last.freeBytes) / (last.atMs - first.atMs);
    return Math.round(Math.max(0, last.freeBytes - this.#diskFreeBytesMin) / bytesPerMs);
  }

  async start(): Promise<void> {
    await this.check();
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimer(checkEveryMs, () => {
      void this.check().finally(() => this.#arm());
    });
  }

  #noteFree(freeBytes: number): void {
    const atMs = this.#clock.monotonic();
    this.#trend.push({ atMs, freeBytes });
    while (atMs - this.#trend[0]!.atMs > trendMs) this.#trend.shift();
  }

  /** So many bytes were written by now, from the start on. */
  written(bytes: number): void {
    this.#writtenBytes = bytes;
    if (bytes >= this.#lookAtBytes && !this.#stopped) void this.check();
  }

  /** Looks now. */
  async check(): Promise<void> {
    const writtenBytes = this.#writtenBytes;
    this.#lookAtBytes = Infinity;
    try {
      const { freeBytes, totalBytes } = await this.#files.space(this.#dir);
      this.#diskFreeBytesMin =
        this.#options.diskFreeBytesMin ??
        Math.min(defaultDiskFreeBytesMin, Math.floor(totalBytes * defaultDiskShare));
      this.diskFreeBytes = freeBytes;
      this.#noteFree(freeBytes);
      const spare = freeBytes - this.#unflushedBytes() - this.#diskFreeBytesMin;
      this.#diskFull = spare < (this.#diskFull ? this.#diskFreeBytesMin * (hysteresis - 1) : 0);
      // Past the mark only what makes room is written, and the look by time will do.
      if (!this.#diskFull)
        this.#lookAtBytes =
          writtenBytes + Math.max(spare * lookShareOfFree, this.#diskFreeBytesMin * lookShareOfMark);
    } catch {
      this.diskFreeBytes = undefined; // unknown: not a reason to refuse
    }
    this.#lookAtMemory();
    if (this.#diskFull) {
      this.#refusal = new BrokerError(
        'storage-full',
        `The disk of ${this.#dir} has ${this.diskFreeBytes} bytes free, ${this.#unflushedBytes()} of which accepted messages take yet: less than the watermark of ${this.#diskFreeBytesMin}. Consume or purge topics, or free space.`,
      );
    } else this.#refusal = this.#memoryRefusal;
    if (!this.#stopped) this.#checked(this.#diskFull);
  }

  #lookAtMemory(): void {
    const { memoryBytesMax, heapBytesMax } = this.#options;
    const share = this.#memoryFull ? 1 / hysteresis : 1;
    let isHeap: boolean;
    try {
      isHeap = this.#heapBytes() > heapBytesMax * share;
      this.#memoryFull = isHeap || this.#memoryBytes() > memoryBytesMax * share;
    } catch {
      // unknown: as it was at the last look
      return;
    }
    if (!this.#memoryFull) {
      if (this.#refusal === this.#memoryRefusal) this.#refusal = undefined;
      this.#memoryRefusal = undefined;
      return;
    }
    const what = isHeap
      ? `heap than its watermark of ${heapBytesMax}`
      : `memory than its watermark of ${memoryBytesMax}`;
    this.#memoryRefusal = new BrokerError(
      'memory-full',
      `The broker uses more ${what} bytes. Consume or purge topics, close connections, or raise the mark.`,
    );
    this.#refusal ??= this.#memoryRefusal;
  }
}
