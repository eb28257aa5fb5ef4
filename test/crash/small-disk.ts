import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './tools.ts';

export type FileSystem = 'tmpfs' | 'ext4';

const mib = 2 ** 20;

/**
 * A file system of so many bytes, mounted under a directory, and a ballast file that takes as much of it as
 * it is told to.
 */
export class SmallDisk implements Disposable {
  /** Where it is mounted. */
  readonly path: string;
  readonly #image: string;
  readonly #ballast: string;
  #isMounted = false;

  constructor(directory: string, fileSystem: FileSystem, bytes: number) {
    this.path = join(directory, 'disk');
    this.#image = join(directory, 'disk.image');
    this.#ballast = join(this.path, 'ballast');
    mkdirSync(this.path);
    if (fileSystem === 'tmpfs')
      run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'pillarbox-test', this.path);
    else {
      const image = openSync(this.#image, 'w');
      ftruncateSync(image, bytes);
      closeSync(image);
      run('mkfs.ext4', '-q', '-m', '0', this.#image);
      run('mount', '-o', 'loop', this.#image, this.path);
    }
    this.#isMounted = true;
  }

  /**
   * Takes room until `freeBytes` are left. The broker may write at the same time, so the room is looked at
   * again.
   */
  fill(freeBytes: number): void {
    const zeros = Buffer.alloc(8 * mib);
    const ballast = openSync(this.#ballast, 'a');
    try {
      for (let left = this.freeBytes - freeBytes; left > 0; left = this.freeBytes - freeBytes)
        writeSync(ballast, zeros, 0, Math.min(left, zeros.length));
    } finally {
      closeSync(ballast);
    }
  }

  get freeBytes(): number {
    return Number(run('df', '--output=avail', '-B1', this.path).split('\n').at(-1));
  }

  /** Gives the room back. */
  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  [Symbol.dispose](): void {
    if (this.#isMounted) run('umount', '-l', this.path);
    this.#isMounted = false;
  }
}
