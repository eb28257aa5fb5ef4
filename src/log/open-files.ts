import { Gate } from '../util/index.ts';
import { isShortage, LogError } from './errors.ts';
import type { File, Files } from './files.ts';

/**
 * The file system merges concurrent syncs, but commits need one of the four threads that do all file
 * operations.
 */
const syncsAtATime = 2;

interface OpenFile {
  readonly file: File;
  users: number;
  /** Written to since its last sync. */
  unsynced: boolean;
  /** To be closed as soon as it is no longer in use. */
  leaving: boolean;
}

/**
 * The open segment files, at most about `max` of them, least recently used closed first.
 *
 * A file with unsynced writes is synced before it is closed, because the system reports an error of the disk
 * to a descriptor that was open when it happened.
 */
export class OpenFiles {
  readonly #files: Files;
  readonly #failed: (error: unknown) => void;
  readonly #max: number;
  readonly #syncs = new Gate(syncsAtATime);
  /** In order of last use. */
  readonly #open = new Map<string, Promise<OpenFile>>();

  constructor(files: Files, max: number, failed: (error: unknown) => void) {
    this.#files = files;
    this.#failed = failed;
    this.#max = max;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Calls `work` with the open file, which stays open meanwhile. */
  async use<T>(path: string, work: (file: File) => Promise<T>): Promise<T> {
    const opened = await this.#acquire(path, false);
    try {
      return await work(opened.file);
    } finally {
      await this.#release(opened);
    }
  }

  /**
   * Calls `work` with the open file, to change it; `create` creates the file. The file must be synced
   * afterwards by {@link sync}.
   */
  async change<T>(path: string, create: boolean, work: (file: File) => Promise<T>): Promise<T> {
    const opened = await this.#acquire(path, create);
    opened.unsynced = true;
    try {
      return await work(opened.file);
    } finally {
      opened.unsynced = true; // a sync meanwhile may have been too early
      await this.#release(opened);
    }
  }

  async #acquire(path: string, create: boolean, isRetry: boolean = false): Promise<OpenFile> {
    if (this.#open.size >= this.#max) await this.#closeUnused(this.#max - 1);
    let opening = this.#open.get(path);
    if (opening === undefined) {
      opening = this.#files
        .open(path, { create })
        .then((file) => ({ file, users: 0, unsynced: false, leaving: false }));
    } else this.#open.delete(path);
    this.#open.set(path, opening);
    try {
      const opened = await opening;
      opened.users++;
      return opened;
    } catch (error) {
      if (this.#open.get(path) === opening) this.#open.delete(path);
      if (!isShortage(error) || isRetry) throw error;
      // Perhaps our own open files are the reason.
      await this.#closeUnused(Math.floor(this.#open.size / 2));
      return this.#acquire(path, create, true);
    }
  }

  async #release(opened: OpenFile): Promise<void> {
    opened.users--;
    if (opened.leaving && opened.users === 0) await opened.file.close();
  }

  /** Closes the least recently used files that are not in use, until `kept` are left. */
  async #closeUnused(kept: number): Promise<void> {
    for (const [path, opening] of this.#open) {
      if (this.#open.size <= kept) return;
      const opened = await opening.catch(() => undefined);
      if (opened === undefined || opened.users > 0) continue;
      if (opened.unsynced) await this.sync(path);
      if (opened.users === 0 && !opened.unsynced && this.#open.get(path) === opening) await this.drop(path);
    }
  }

  /** Makes everything written to the file before the call durable. */
  async sync(path: string): Promise<void> {
    const opened = await this.#open.get(path);
    if (opened === undefined || !opened.unsynced) return;
    opened.users++;
    opened.unsynced = false;
    try {
      await this.#syncs.run(() => opened.file.sync());
      await this.#checkPlace(path, opened);
    } finally {
      await this.#release(opened);
    }
  }

  /** Checks that the path still leads to the synced file, because a checkpoint is about to rely on it. */
  async #checkPlace(path: string, opened: OpenFile): Promise<void> {
    const [identity, found] = await Promise.all([opened.file.identity(), this.#files.identify(path)]);
    if (found === identity || opened.leaving) return; // or removed by ourselves
    const error = new LogError(
      'data-dir-gone',
      `${path} was removed or replaced while the broker was running. Find out what changed the data directory, then start again.`,
    );
    this.#failed(error);
    throw error;
  }

  /** Drops a file that was removed or replaced. Operations in progress may finish. */
  async drop(path: string): Promise<void> {
    const opening = this.#open.get(path);
    if (opening === undefined) return;
    this.#open.delete(path);
    const opened = await opening.catch(() => undefined);
    if (opened === undefined || opened.leaving) return;
    opened.leaving = true;
    if (opened.users === 0) await opened.file.close();
  }

  /** Closes everything. Unsynced files are synced first, unless the log has `failed`. */
  async closeAll(failed: boolean): Promise<void> {
    for (const path of this.#open.keys()) {
      if (!failed) await this.sync(path);
      await this.drop(path);
    }
  }
}
