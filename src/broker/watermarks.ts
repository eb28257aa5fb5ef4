import type { Files } from '../log/index.ts';
import type { Clock, Timer } from '../util/index.ts';
import { BrokerError } from './errors.ts';

/**
 * Limits beyond which the broker refuses publishes. Beyond those of memory it also refuses everything else
 * that would grow. Consumers can go on.
 */
export interface WatermarkOptions {
  /**
   * Publishes are refused while the disk has less free space, in bytes; undefined: 256 MiB, or an eighth of
   * the disk if that is less.
   */
  readonly diskFreeBytesMin: number | undefined;
  /** Publishes are refused while the process uses more memory, in bytes; Infinity: never. */
  readonly memoryBytesMax: number;
  /**
   * The same for V8's heap. If the heap reaches its own limit (`--max-old-space-size`) the process ends.
   * Infinity: never.
   */
  readonly heapBytesMax: number;
}

const checkEveryMs = 1000;
const defaultDiskFreeBytesMin = 256 * 1024 * 1024;
const defaultDiskShare = 1 / 8;
/**
 * The period over which the growth of the disk's use is measured. It is long, because a journal file is
 * allocated in one step, and other programs write to the disk too.
 */
const trendMs = 60_000;
/**
 * The disk is checked again when this share of the free space above the mark was written, or this share of
 * the mark if that is more.
 */
const lookShareOfFree = 1 / 4;
const lookShareOfMark = 1 / 16;
/**
 * Publishes are accepted again when the free space is this factor above the mark. Memory must fall below the
 * mark by the same factor.
 */
const hysteresis = 1.1;

/**
 * Watermarks check disk and memory once a second, and the disk more often the faster it fills. While a mark
 * is passed they give the reason why no publish is accepted.
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
  /** The next check happens when this many bytes were written, if the timer is not first. */
  #lookAtBytes = Infinity;
  #timer: Timer | undefined = undefined;
  #stopped = false;
  #diskFull = false;
  #memoryFull = false;
  #refusal: BrokerError | undefined = undefined;
  #memoryRefusal: BrokerError | undefined = undefined;
  diskFreeBytes: number | undefined = undefined;
  /** Free bytes over time, oldest first. */
  #trend: { readonly atMs: number; readonly freeBytes: number }[] = [];

  constructor(
    options: WatermarkOptions,
    seams: {
      files: Files;
      dir: string;
      clock: Clock;
      memoryBytes: () => number;
      heapBytes: () => number;
      /** Bytes that are accepted but do not take room on the disk yet. */
      unflushedBytes: () => number;
      /** Called after each check. */
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

  /**
   * The reason why nothing may grow in memory now, if any; with `looks` memory is measured at this moment,
   * instead of up to a second ago.
   */
  memoryRefusal(looks: boolean): BrokerError | undefined {
    if (looks) this.#lookAtMemory();
    return this.#memoryRefusal;
  }

  /**
   * Time until the disk passes its watermark, at the rate of the last minute; undefined if it is not getting
   * closer.
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

  /** Tells the number of bytes written since the start. */
  written(bytes: number): void {
    this.#writtenBytes = bytes;
    if (bytes >= this.#lookAtBytes && !this.#stopped) void this.check();
  }

  /** Checks disk and memory now. */
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
      // Past the mark only entries that make room are written, and the check by timer is enough.
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
