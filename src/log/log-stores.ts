import { BlockPool } from '../util/index.ts';
import { BufferPool } from './buffer-pool.ts';
import type { DamageReport } from './errors.ts';
import type { LogOptions } from './log-options.ts';
import { OpenFiles } from './open-files.ts';
import { Quarantine } from './quarantine.ts';
import { ReadCache } from './read-cache.ts';
import type { SegmentContext } from './segment.ts';
import { SmallBatches } from './small-batches.ts';
import { StrictFiles } from './strict-files.ts';
import { TailCache } from './tail-cache.ts';

const defaults = {
  indexIntervalBytes: 4096,
  tailCacheBytesMax: 32 * 2 ** 20,
  readCacheBytesMax: 32 * 2 ** 20,
  openFilesMax: 2048,
} as const;

/**
 * The parts of a log that need no recovery: its files, its memory, and the common context of its segments.
 */
export class LogStores {
  readonly files: StrictFiles;
  readonly quarantine: Quarantine;
  readonly openFiles: OpenFiles;
  readonly pool: BufferPool = new BufferPool();
  readonly blocks: BlockPool;
  readonly smallBatches: SmallBatches;
  readonly tailCache: TailCache;
  readonly readCache: ReadCache;
  readonly segments: SegmentContext;

  constructor(
    options: LogOptions,
    damaged: (report: DamageReport) => void,
    failed: (error: unknown) => void,
  ) {
    this.files = new StrictFiles(options.files, failed);
    this.quarantine = new Quarantine(this.files, options.dir);
    this.openFiles = new OpenFiles(
      this.files,
      Math.max(8, options.openFilesMax ?? defaults.openFilesMax),
      failed,
    );
    this.blocks = options.blocks ?? new BlockPool();
    this.smallBatches = new SmallBatches(this.blocks);
    this.tailCache = new TailCache(options.tailCacheBytesMax ?? defaults.tailCacheBytesMax);
    this.readCache = new ReadCache(options.readCacheBytesMax ?? defaults.readCacheBytesMax);
    this.segments = {
      files: this.files,
      openFiles: this.openFiles,
      dataDir: options.dir,
      pool: this.pool,
      blocks: this.blocks,
      quarantine: this.quarantine,
      indexIntervalBytes: options.indexIntervalBytes ?? defaults.indexIntervalBytes,
      decompress: options.decompress,
      damaged,
      failed,
      topicsDirUnsynced: false,
      indexesLoaded: new Set(),
      indexesRebuilt: 0,
    };
  }
}
