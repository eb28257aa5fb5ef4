import * as fs from 'node:fs';
import { startsAtPage } from '../util/index.ts';
import type { File, OpenOptions } from './files.ts';
import { blockBytes } from './format.ts';
import { done, result } from './system-call.ts';

/** `rw-------` */
const fileMode = 0o600;
const { O_RDWR, O_CREAT, O_TRUNC } = fs.constants;

/*
 * O_DSYNC makes write and fdatasync one system call. On macOS neither reaches the disk; libuv's fdatasync
 * uses F_FULLFSYNC there, which does. So a durable write is a write and a sync on macOS.
 */
const syncFlag: number | undefined = process.platform === 'darwin' ? undefined : fs.constants.O_DSYNC;
/**
 * O_DIRECT writes past the page cache: without a copy into it, and without write-back from it. Not every
 * system has it.
 */
const directFlag: number | undefined = process.platform === 'linux' ? fs.constants.O_DIRECT : undefined;

/** See {@link OpenOptions}. */
export async function openRealFile(path: string, options: OpenOptions): Promise<File> {
  let flags = O_RDWR;
  if (options.create) flags |= O_CREAT;
  if (options.truncate) flags |= O_TRUNC;
  if (options.syncWrites) flags |= syncFlag ?? 0;
  const descriptor = await open(path, flags);
  if (!options.syncWrites) return new RealFile(descriptor, false, undefined);
  return new RealFile(descriptor, syncFlag === undefined, await openDirect(path));
}

function open(path: string, flags: number): Promise<number> {
  return result((callback) => fs.open(path, flags, fileMode, callback));
}

/** Not every file system supports it; writes then go through the page cache. */
async function openDirect(path: string): Promise<number | undefined> {
  if (directFlag === undefined || syncFlag === undefined) return undefined;
  return open(path, O_RDWR | syncFlag | directFlag).catch(() => undefined);
}

class RealFile implements File {
  readonly #descriptor: number;
  readonly #syncAfterWrite: boolean;
  /** The descriptor for writes past the page cache. */
  #direct: number | undefined;

  constructor(descriptor: number, syncAfterWrite: boolean, direct: number | undefined) {
    this.#descriptor = descriptor;
    this.#syncAfterWrite = syncAfterWrite;
    this.#direct = direct;
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
    return result((callback) =>
      fs.read(this.#descriptor, target, at, target.length - at, position, callback),
    );
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    if (this.#direct !== undefined && mayGoDirect(bytes, position))
      return this.#writeDirectly(this.#direct, bytes, position);
    return this.#write(bytes, 0, position);
  }

  /**
   * Writes in one call. Bytes that the system refuses to take this way, or takes only in part, go through the
   * page cache.
   */
  #writeDirectly(direct: number, bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.write(direct, bytes, 0, bytes.length, position, (error, count) => {
        if (!error && count === bytes.length) resolve();
        else if (!error) this.#write(bytes, count, position).then(resolve, reject);
        else if (error.code !== 'EINVAL') reject(error);
        else
          this.#goWithout(direct)
            .then(() => this.#write(bytes, 0, position))
            .then(resolve, reject);
      });
    });
  }

  /** Stops direct writes: the device needs larger blocks than ours. */
  async #goWithout(direct: number): Promise<void> {
    if (this.#direct === undefined) return;
    this.#direct = undefined;
    await done((callback) => fs.close(direct, callback));
  }

  #write(bytes: Uint8Array, from: number, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // The system may take fewer bytes than given (because of a signal or a nearly full disk). The rest is
      // written again; an error ends it.
      const writeFrom = (at: number): void => {
        fs.write(this.#descriptor, bytes, at, bytes.length - at, position + at, (error, count) => {
          if (error) reject(error);
          else if (at + count < bytes.length) writeFrom(at + count);
          else if (this.#syncAfterWrite)
            fs.fdatasync(this.#descriptor, (failed) => (failed ? reject(failed) : resolve()));
          else resolve();
        });
      };
      writeFrom(from);
    });
  }

  sync(): Promise<void> {
    return done((callback) => fs.fdatasync(this.#descriptor, callback));
  }

  truncate(bytes: number): Promise<void> {
    return done((callback) => fs.ftruncate(this.#descriptor, bytes, callback));
  }

  async size(): Promise<number> {
    const { size } = await result<fs.Stats>((callback) => fs.fstat(this.#descriptor, callback));
    return size;
  }

  async identity(): Promise<string> {
    const descriptor = this.#descriptor;
    return identityOf(
      await result<fs.BigIntStats>((callback) => fs.fstat(descriptor, { bigint: true }, callback)),
    );
  }

  async close(): Promise<void> {
    const direct = this.#direct;
    this.#direct = undefined;
    if (direct !== undefined) await done((callback) => fs.close(direct, callback));
    await done((callback) => fs.close(this.#descriptor, callback));
  }
}

/** Device and inode: see {@link Files.identify}. */
export function identityOf({ dev, ino }: fs.BigIntStats): string {
  return `${dev}:${ino}`;
}

/** Whole blocks from memory that starts at a page may go past the page cache. */
function mayGoDirect(bytes: Uint8Array, position: number): boolean {
  return position % blockBytes === 0 && bytes.length % blockBytes === 0 && startsAtPage(bytes);
}
