import { LogError, isShortage, systemCode } from './errors.ts';
import type { DirectoryLock, File, Files, OpenOptions } from './files.ts';

/** Errors for which the directory to be synced was not even opened. */
const neverOpened: ReadonlySet<string | undefined> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOENT',
  'EACCES',
  'EPERM',
]);

/**
 * Strict files make every failed change final: they tell the log before they reject, and their error is no
 * longer one to wait for.
 *
 * After a failed sync the system may have dropped the very pages it should have written, and a second sync
 * would succeed without them. So nothing is synced a second time, neither files nor directories, and a
 * durable write is not retried. Only calls that failed before they changed anything may be retried: those
 * without room or descriptors ({@link isShortage}).
 */
export class StrictFiles implements Files {
  readonly #files: Files;
  readonly #failed: (error: unknown) => void;

  constructor(files: Files, failed: (error: unknown) => void) {
    this.#files = files;
    this.#failed = failed;
  }

  /** Tells the log, unless it was a shortage. */
  readonly unlessShort = (error: unknown): never => {
    if (!isShortage(error)) this.#failed(error);
    throw error;
  };

  /** Tells the log. */
  readonly always = (error: unknown): never => {
    this.#failed(error);
    throw new LogError('io-failed', (error as Error).message, error);
  };

  async open(path: string, options: OpenOptions = {}): Promise<File> {
    const opening = this.#files.open(path, options);
    const file = await (options.create || options.truncate ? opening.catch(this.unlessShort) : opening);
    return new StrictFile(this, file, options.syncWrites === true);
  }

  list(dir: string): Promise<string[]> {
    return this.#files.list(dir);
  }

  makeDir(path: string): Promise<void> {
    return this.#files.makeDir(path).catch(this.unlessShort);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#files.rename(from, to).catch(this.unlessShort);
  }

  remove(path: string): Promise<void> {
    return this.#files.remove(path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') throw error;
      return this.unlessShort(error);
    });
  }

  removeDir(path: string): Promise<void> {
    return this.#files.removeDir(path).catch(this.unlessShort);
  }

  syncDir(path: string): Promise<void> {
    return this.#files.syncDir(path).catch((error: unknown) => {
      const code = systemCode(error);
      if (neverOpened.has(code)) throw error;
      return this.always(error);
    });
  }

  size(path: string): Promise<number | undefined> {
    return this.#files.size(path);
  }

  identify(path: string): Promise<string | undefined> {
    return this.#files.identify(path);
  }

  makePrivate(dir: string): Promise<void> {
    return this.#files.makePrivate(dir);
  }

  space(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
    return this.#files.space(path);
  }

  lock(dir: string): Promise<DirectoryLock> {
    return this.#files.lock(dir);
  }
}

class StrictFile implements File {
  readonly #files: StrictFiles;
  readonly #file: File;
  readonly #syncWrites: boolean;

  constructor(files: StrictFiles, file: File, syncWrites: boolean) {
    this.#files = files;
    this.#file = file;
    this.#syncWrites = syncWrites;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#file.read(target, position);
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#file
      .write(bytes, position)
      .catch(this.#syncWrites ? this.#files.always : this.#files.unlessShort);
  }

  sync(): Promise<void> {
    return this.#file.sync().catch(this.#files.always);
  }

  truncate(bytes: number): Promise<void> {
    return this.#file.truncate(bytes).catch(this.#files.unlessShort);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  identity(): Promise<string> {
    return this.#file.identity();
  }

  /** The system may report only now that it could not write. */
  close(): Promise<void> {
    return this.#file.close().catch(this.#files.always);
  }
}
