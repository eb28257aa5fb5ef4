/**
 * Files is all that storage asks of the operating system.
 *
 * `RealFiles` is the operating system, `MemoryFiles` a file system in memory, `OverlayFiles` one of these with
 * its changes held back. The tests bring `FaultyFiles`, which loses, tears and reorders writes that were not
 * synced. Paths are absolute, or relative to the place where the implementation starts; their separator is `/`.
 * A directory entry (create, rename, remove) is durable only after {@link Files.syncDir} of its
 * directory. Errors of the operating system come as it gives them: an `Error` with its `code` (`ENOENT`,
 * `EIO`, `ENOSPC`, …).
 */
export interface Files {
  /**
   * Opens a file for reading and writing. `create` makes it when it is not there; `truncate` empties it.
   * `syncWrites` makes every write durable before it resolves (O_DSYNC), and lets whole blocks from aligned
   * memory pass by the page cache where the system can (O_DIRECT).
   */
  open(path: string, options?: OpenOptions): Promise<File>;
  /** The names in a directory, sorted. Rejects with code ENOENT when there is none. */
  list(dir: string): Promise<string[]>;
  /** Makes a directory, and those above it that are missing. Nothing happens when it is there. */
  makeDir(path: string): Promise<void>;
  /** Moves a file or directory; an existing file at `to` is replaced, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Removes an empty directory. */
  removeDir(path: string): Promise<void>;
  /** Makes the entries of a directory durable. */
  syncDir(path: string): Promise<void>;
  /** The size in bytes, or undefined when there is no such file (a directory is none). */
  size(path: string): Promise<number | undefined>;
  /**
   * A name that only this file or directory has while the machine runs, however it is reached; undefined when
   * nothing stands at the path.
   */
  identify(path: string): Promise<string | undefined>;
  /** Free and total bytes of the file system that holds `path`. */
  space(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
  /**
   * Takes away the access that other users have to a directory; what this user may not change stays as it is.
   */
  makePrivate(dir: string): Promise<void>;
  /**
   * Takes the directory for this process until it ends or `release` is called; rejects with a LogError of
   * code `data-dir-locked` when another holds it.
   */
  lock(dir: string): Promise<DirectoryLock>;
}

export interface OpenOptions {
  readonly create?: boolean;
  readonly truncate?: boolean;
  readonly syncWrites?: boolean;
}

/**
 * An open file. All of it is written or the write rejects; a read returns fewer bytes only at the end of the
 * file.
 */
export interface File {
  read(target: Uint8Array, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** fdatasync: data and size are durable afterwards. A failed sync is final; never retry it. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  /** What {@link Files.identify} says of its path as long as the file stands there. */
  identity(): Promise<string>;
  close(): Promise<void>;
}

/** A directory that belongs to this process. */
export interface DirectoryLock {
  /**
   * How far the lock reaches: two locks of one scope cannot be held at once. Of two scopes nothing is known.
   */
  readonly scope: string;
  /** Who has it, in words. */
  readonly holder: string;
  release(): Promise<void>;
}
