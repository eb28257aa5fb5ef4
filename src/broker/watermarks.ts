import type { Files } from '../log/index.ts';
import type { Clock, Timer } from '../util/index.ts';
import { BrokerError } from './errors.ts';

/** Marks past which the broker refuses publishes, while consumers go on. */
export interface WatermarkOptions {
  /** Publishes are refused while the disk has less free, in bytes; undefined = 256 MiB, or an eighth of the disk if that is less. */
  readonly diskFreeBytesMin: number | undefined;
  /** Publishes are refused while the process uses more, in bytes; Infinity = never. */
  readonly memoryBytesMax: number;
}

const checkEveryMs = 1000;
const defaultDiskFreeBytesMin = 256 * 1024 * 1024;
const defaultDiskShare = 1 / 8;
/** How far back the disk's filling is looked at: a journal file is filled at once, and others write to it too. */
const trendMs = 60_000;
/** Publishes are let in again when so much more than the mark is free. */
const hysteresis = 1.1;

/** Watermarks look at disk and memory once a second, and say why no publish is accepted while a mark is passed. */
export class Watermarks {
  readonly #options: WatermarkOptions;
  readonly #files: Files;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #memoryBytes: () => number;
  readonly #checked: (diskFull: boolean) => void;
  #diskFreeBytesMin = 0;
  #timer: Timer | undefined = undefined;
  #stopped = false;
  #diskFull = false;
  #memoryFull = false;
  #refusal: BrokerError | undefined = undefined;
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

  /** Until the disk's watermark is passed, if it goes on as in the last minute; undefined when it does not near. */
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

  /** Looks now. */
  async check(): Promise<void> {
    const { memoryBytesMax } = this.#options;
    try {
      const { freeBytes, totalBytes } = await this.#files.space(this.#dir);
      this.#diskFreeBytesMin =
        this.#options.diskFreeBytesMin ??
        Math.min(defaultDiskFreeBytesMin, Math.floor(totalBytes * defaultDiskShare));
      this.diskFreeBytes = freeBytes;
      this.#noteFree(freeBytes);
      this.#diskFull = freeBytes < this.#diskFreeBytesMin * (this.#diskFull ? hysteresis : 1);
    } catch {
      this.diskFreeBytes = undefined; // unknown: not a reason to refuse
    }
    try {
      this.#memoryFull = this.#memoryBytes() > memoryBytesMax / (this.#memoryFull ? hysteresis : 1);
    } catch {
      // unknown: as it was at the last look
    }
    if (this.#diskFull) {
      this.#refusal = new BrokerError(
        'storage-full',
        `The disk of ${this.#dir} has ${this.diskFreeBytes} bytes free, less than the watermark of ${this.#diskFreeBytesMin}. Consume or purge topics, or free space.`,
      );
    } else if (this.#memoryFull) {
      this.#refusal = new BrokerError(
        'memory-full',
        `The broker uses more memory than its watermark of ${memoryBytesMax} bytes. Consume or purge topics, or raise the mark.`,
      );
    } else this.#refusal = undefined;
    if (!this.#stopped) this.#checked(this.#diskFull);
  }
}
