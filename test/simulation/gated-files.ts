import type { DirectoryLock, File, Files, OpenOptions } from '../../src/log/index.ts';

/** A call of the disk that was made and has not happened yet. */
export interface Call {
  readonly kind: CallKind;
  readonly path: string;
  /** The place and the bytes of a write. */
  readonly position?: number;
  readonly bytes?: Uint8Array;
  /** Lets it happen: now it takes effect, and soon its caller hears of it. */
  readonly happen: () => void;
  /** The effect of the call, without its answer. */
  readonly effect: () => void;
}

export type CallKind =
  | 'open'
  | 'list'
  | 'make-dir'
  | 'rename'
  | 'remove'
  | 'remove-dir'
  | 'sync-dir'
  | 'size'
  | 'space'
  | 'identify'
  | 'make-private'
  | 'lock'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close';

/** Hears of writes that are on disk when they are done. */
export interface SyncedWrites {
  /** A write was requested; the result is passed on when it is done. */
  asked(path: string, position: number): number;
  done(asked: number): void;
}

/**
 * Files whose every call waits at a gate until the machine releases it, in any order. It is the slow disk:
 * calls made together complete in any order, and the process can die between any two of them.
 */
export class GatedFiles implements Files {
  /** Calls made and not let through, oldest first. */
  readonly waiting: Call[] = [];
  readonly #inner: Files;
  readonly #syncedWrites: SyncedWrites | undefined;

  constructor(inner: Files, syncedWrites?: SyncedWrites) {
    this.#inner = inner;
    this.#syncedWrites = syncedWrites;
  }

  gate<T>(
    kind: CallKind,
    path: string,
    work: () => Promise<T>,
    write?: { position: number; bytes: Uint8Array },
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const happen = (): void => void work().then(resolve, reject);
      this.waiting.push({ kind, path, ...write, happen, effect: () => void work().catch(() => {}) });
    });
  }

  open(path: string, options?: OpenOptions): Promise<File> {
    const syncedWrites = options?.syncWrites ? this.#syncedWrites : undefined;
    return this.gate(
      'open',
      path,
      async () => new GatedFile(this, path, await this.#inner.open(path, options), syncedWrites),
    );
  }

  list(dir: string): Promise<string[]> {
    return this.gate('list', dir, () => this.#inner.list(dir));
  }

  makeDir(path: string): Promise<void> {
    return this.gate('make-dir', path, () => this.#inner.makeDir(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.gate('rename', to, () => this.#inner.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.gate('remove', path, () => this.#inner.remove(path));
  }

  removeDir(path: string): Promise<void> {
    return this.gate('remove-dir', path, () => this.#inner.removeDir(path));
  }

  syncDir(path: string): Promise<void> {
    return this.gate('sync-dir', path, () => this.#inner.syncDir(path));
  }

  size(path: string): Promise<number | undefined> {
    return this.gate('size', path, () => this.#inner.size(path));
  }

  identify(path: string): Promise<string | undefined> {
    return this.gate('identify', path, () => this.#inner.identify(path));
  }

  makePrivate(dir: string): Promise<void> {
    return this.gate('make-private', dir, () => this.#inner.makePrivate(dir));
  }

  space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    return this.gate('space', path, () => this.#inner.space(path));
  }

  lock(dir: string): Promise<DirectoryLock> {
    return this.gate('lock', dir, () => this.#inner.lock(dir));
  }
}

class GatedFile implements File {
  readonly #files: GatedFiles;
  readonly #path: string;
  readonly #inner: File;
  readonly #syncedWrites: SyncedWrites | undefined;

  constructor(files: GatedFiles, path: string, inner: File, syncedWrites: SyncedWrites | undefined) {
    this.#files = files;
    this.#path = path;
    this.#inner = inner;
    this.#syncedWrites = syncedWrites;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#files.gate('read', this.#path, () => this.#inner.read(target, position));
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const watch = this.#syncedWrites;
    const asked = watch?.asked(this.#path, position);
    const work = async (): Promise<void> => {
      await this.#inner.write(bytes, position);
      if (asked !== undefined) watch!.done(asked);
    };
    return this.#files.gate('write', this.#path, work, { position, bytes });
  }

  sync(): Promise<void> {
    return this.#files.gate('sync', this.#path, () => this.#inner.sync());
  }

  truncate(bytes: number): Promise<void> {
    return this.#files.gate('truncate', this.#path, () => this.#inner.truncate(bytes));
  }

  size(): Promise<number> {
    return this.#files.gate('size', this.#path, () => this.#inner.size());
  }

  identity(): Promise<string> {
    return this.#files.gate('identify', this.#path, () => this.#inner.identity());
  }

  close(): Promise<void> {
    return this.#files.gate('close', this.#path, () => this.#inner.close());
  }
}
