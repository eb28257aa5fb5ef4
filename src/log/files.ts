/**
 * Files is the storage's whole interface to the operating system.
 *
 * `RealFiles` is the operating system, `MemoryFiles` a file system in memory, and `OverlayFiles` one of these
 * with its changes held back. The tests add `FaultyFiles`, which loses, tears and reorders writes that were
 * not synced. Paths are absolute, or relative to the place where the implementation starts; their separator
 * is `/`. A directory entry (create, rename, remove) is durable only after {@link Files.syncDir} of its
 * directory. Errors of the operating system are passed on: an `Error` with its `code` (`ENOENT`, `EIO`,
 * `ENOSPC`, …).
 */
export interface Files {
  /**
   * Opens a file for reading and writing. `create` creates it if it does not exist; `truncate` empties it.
   * `syncWrites` makes every write durable before it resolves (O_DSYNC), and lets whole blocks from aligned
   * memory bypass the page cache if the system can (O_DIRECT).
   */
  open(path: string, options?: OpenOptions): Promise<File>;
  /** The names in a directory, sorted. Rejects with code ENOENT if there is none. */
  list(dir: string): Promise<string[]>;
  /** Creates a directory and its missing parents. Does nothing if it exists. */
  makeDir(path: string): Promise<void>;
  /** Moves a file or directory; an existing file at `to` is replaced, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Removes an empty directory. */
  removeDir(path: string): Promise<void>;
  /** Makes the entries of a directory durable. */
  syncDir(path: string): Promise<void>;
  /** The size in bytes, or undefined if there is no such file (a directory does not count). */
  size(path: string): Promise<number | undefined>;
  /**
   * A name that identifies this file or directory while the machine runs, by any path; undefined if nothing
   * exists at the path.
   */
  identify(path: string): Promise<string | undefined>;
  /** Free and total bytes of the file system that holds `path`. */
  space(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
  /** Removes the access of other users to a directory. Access that this user may not change stays. */
  makePrivate(dir: string): Promise<void>;
  /**
   * Locks the directory for this process until it ends or calls `release`. Rejects with a LogError of code
   * `data-dir-locked` if another process holds it.
   */
  lock(dir: string): Promise<DirectoryLock>;
}

export interface OpenOptions {
  readonly create?: boolean;
  readonly truncate?: boolean;
  readonly syncWrites?: boolean;
}

/** An open file. A write is complete or rejects; a read returns fewer bytes only at the end of the file. */
export interface File {
  read(target: Uint8Array, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** fdatasync: data and size are durable afterwards. A failed sync is final; never retry it. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  /** The value of {@link Files.identify} for the file's path, as long as the file is there. */
  identity(): Promise<string>;
  close(): Promise<void>;
}

/** A directory that is locked for this process. */
export interface DirectoryLock {
  /**
   * The reach of the lock: two locks of one scope exclude each other. For different scopes this is not known.
   */
  readonly scope: string;
  /** A description of the holder. */
  readonly holder: string;
  release(): Promise<void>;
}
