import * as fs from 'node:fs';
import { lockDirectory } from './directory-lock.ts';
import type { DirectoryLock, File, Files, OpenOptions } from './files.ts';

/*
 * O_DSYNC makes one system call of write and fdatasync. On macOS neither reaches the platter; there libuv's fdatasync asks for F_FULLFSYNC,
 * which does, so a write that must be durable is a write and a sync.
 */
const syncFlag: number | undefined = process.platform === 'darwin' ? undefined : fs.constants.O_DSYNC;

/** The files of the machine. Callbacks rather than `fs/promises`: less work per call on the way of a commit. */
export class RealFiles implements Files {
  open(path: string, options: OpenOptions = {}): Promise<File> {
    let flags = fs.constants.O_RDWR;
    if (options.create) flags |= fs.constants.O_CREAT;
    if (options.truncate) flags |= fs.constants.O_TRUNC;
    const syncAfterWrite = options.syncWrites === true && syncFlag === undefined;
    if (options.syncWrites && syncFlag !== undefined) flags |= syncFlag;
    return new Promise((resolve, reject) => {
      fs.open(path, flags, 0o644, (error, descriptor) => {
        if (error) reject(error);
        else resolve(new RealFile(descriptor, syncAfterWrite));
      });
    });
  }

  list(dir: string): Promise<string[]> {
    return new Promise((resolve, reject) => {
      fs.readdir(dir, (error, names) => (error ? reject(error) : resolve(names.sort())));
    });
  }

  makeDir(path: string): Promise<void> {
    return done((callback) => fs.mkdir(path, { recursive: true }, (error) => callback(error)));
  }

  rename(from: string, to: string): Promise<void> {
    return done((callback) => fs.rename(from, to, callback));
  }

  remove(path: string): Promise<void> {
    return done((callback) => fs.unlink(path, callback));
  }

  removeDir(path: string): Promise<void> {
    return done((callback) => fs.rmdir(path, callback));
  }

  async syncDir(path: string): Promise<void> {
    const descriptor = await new Promise<number>((resolve, reject) => {
      fs.open(path, fs.constants.O_RDONLY, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    try {
      await done((callback) => fs.fsync(descriptor, callback));
    } finally {
      await done((callback) => fs.close(descriptor, callback));
    }
  }

  size(path: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      fs.stat(path, (error, stats) => {
        if (!error) resolve(stats.isFile() ? stats.size : undefined);
        else if (error.code === 'ENOENT') resolve(undefined);
        else reject(error);
      });
    });
  }

  space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    return new Promise((resolve, reject) => {
      fs.statfs(path, (error, stats) => {
        if (error) reject(error);
        else resolve({ freeBytes: stats.bavail * stats.bsize, totalBytes: stats.blocks * stats.bsize });
      });
    });
  }

  lock(dir: string): Promise<DirectoryLock> {
    return lockDirectory(dir);
  }
}

class RealFile implements File {
  readonly #descriptor: number;
  readonly #syncAfterWrite: boolean;

  constructor(descriptor: number, syncAfterWrite: boolean) {
    this.#descriptor = descriptor;
    this.#syncAfterWrite = syncAfterWrite;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let total = 0;
    while (total < target.length) {
      const count = await this.#readOnce(target, total, position + total);
      if (count === 0) break;
      total += count;
    }
    return total;
  }

  #readOnce(target: Uint8Array, at: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, target, at, target.length - at, position, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // The system may take fewer bytes than it was given (a signal, a nearly full disk): the rest is offered again, and an error ends it.
      const writeFrom = (at: number): void => {
        fs.write(this.#descriptor, bytes, at, bytes.length - at, position + at, (error, count) => {
          if (error) reject(error);
          else if (at + count < bytes.length) writeFrom(at + count);
          else if (this.#syncAfterWrite)
            fs.fdatasync(this.#descriptor, (failed) => (failed ? reject(failed) : resolve()));
          else resolve();
        });
      };
      writeFrom(0);
    });
  }

  sync(): Promise<void> {
    return done((callback) => fs.fdatasync(this.#descriptor, callback));
  }

  truncate(bytes: number): Promise<void> {
    return done((callback) => fs.ftruncate(this.#descriptor, bytes, callback));
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#descriptor, (error, stats) => (error ? reject(error) : resolve(stats.size)));
    });
  }

  close(): Promise<void> {
    return done((callback) => fs.close(this.#descriptor, callback));
  }
}

function done(call: (callback: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
}
