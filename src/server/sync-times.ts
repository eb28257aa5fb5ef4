import type { Files } from '../broker/index.ts';

type File = Awaited<ReturnType<Files['open']>>;

/** Upper bounds of the buckets, in seconds: from a fast NVMe drive with a battery to a disk in trouble. */
export const syncBounds: readonly number[] = [
  0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5,
];

/** A histogram of the durations of durable writes. Each acknowledgement waits for one of them. */
export class SyncTimes {
  /** One more than bounds: the last counts the writes slower than all bounds. */
  readonly counts: number[] = Array.from({ length: syncBounds.length + 1 }, () => 0);
  sumSeconds = 0;

  note(ms: number): void {
    const seconds = ms / 1000;
    let at = 0;
    while (at < syncBounds.length && seconds > (syncBounds[at] ?? Infinity)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sumSeconds += seconds;
  }
}

/** Files that measure how long it takes until writes are durable: a sync, or a write that syncs by itself. */
export function timedFiles(files: Files, times: SyncTimes): Files {
  return {
    open: async (path, options) =>
      timedFile(await files.open(path, options), options?.syncWrites === true, times),
    list: (dir) => files.list(dir),
    makeDir: (path) => files.makeDir(path),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    removeDir: (path) => files.removeDir(path),
    syncDir: (path) => files.syncDir(path),
    size: (path) => files.size(path),
    identify: (path) => files.identify(path),
    makePrivate: (dir) => files.makePrivate(dir),
    space: (path) => files.space(path),
    lock: (dir) => files.lock(dir),
  };
}

function timedFile(file: File, syncsWrites: boolean, times: SyncTimes): File {
  // The measurement does not wrap the promise, so that callers do not wait a turn longer for it.
  const timed = (done: Promise<void>): Promise<void> => {
    const startMs = performance.now();
    done.then(
      () => times.note(performance.now() - startMs),
      () => {},
    );
    return done;
  };
  return {
    read: (target, position) => file.read(target, position),
    write: (bytes, position) =>
      syncsWrites ? timed(file.write(bytes, position)) : file.write(bytes, position),
    sync: () => timed(file.sync()),
    truncate: (bytes) => file.truncate(bytes),
    size: () => file.size(),
    identity: () => file.identity(),
    close: () => file.close(),
  };
}
