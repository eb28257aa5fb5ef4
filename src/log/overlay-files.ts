import type { DirectoryLock, Files } from './files.ts';
import { MemoryFiles, type FileContent } from './memory-files.ts';

/**
 * An overlay shows a directory of other files and keeps every change in memory, so that a change can be
 * inspected before it is applied to the real files. Only the lock is real, so that no other process changes
 * the directory meanwhile.
 */
export class OverlayFiles extends MemoryFiles {
  override readonly space: Files['space'] = (path) => this.#base.space(path);
  readonly #base: Files;

  private constructor(base: Files) {
    super();
    this.#base = base;
  }

  static async over(base: Files, dir: string): Promise<OverlayFiles> {
    const overlay = new OverlayFiles(base);
    await overlay.#show(dir);
    return overlay;
  }

  async #show(dir: string): Promise<void> {
    await this.makeDir(dir);
    for (const name of await this.#base.list(dir)) {
      const path = `${dir}/${name}`;
      const bytes = await this.#base.size(path);
      if (bytes !== undefined) this.place(path, new CoveredContent(this.#base, path, bytes));
      else if (await isDirectory(this.#base, path)) await this.#show(path);
    }
  }

  override lock(dir: string): Promise<DirectoryLock> {
    return this.#base.lock(dir);
  }
}

/** False for a socket, or anything else without a size. */
async function isDirectory(files: Files, path: string): Promise<boolean> {
  try {
    await files.list(path);
    return true;
  } catch {
    return false;
  }
}

interface Piece {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** The bytes of an unchanged file, covered by later writes. */
class CoveredContent implements FileContent {
  length: number;
  readonly #base: Files;
  readonly #path: string;
  /** Bytes of the file that still count. */
  #baseLength: number;
  /** In the order of the writes. */
  #pieces: Piece[] = [];

  constructor(base: Files, path: string, length: number) {
    this.#base = base;
    this.#path = path;
    this.length = this.#baseLength = length;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const count = Math.max(0, Math.min(target.length, this.length - position));
    const pieces = this.#pieces.slice();
    const shown = target.subarray(0, count).fill(0);
    const ofBase = Math.max(0, Math.min(count, this.#baseLength - position));
    if (ofBase > 0) {
      const file = await this.#base.open(this.#path);
      try {
        await file.read(shown.subarray(0, ofBase), position);
      } finally {
        await file.close();
      }
    }
    for (const piece of pieces) {
      const from = Math.max(position, piece.position);
      const to = Math.min(position + count, piece.position + piece.bytes.length);
      if (from < to)
        shown.set(piece.bytes.subarray(from - piece.position, to - piece.position), from - position);
    }
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    const isNothing = position >= this.length && bytes.every((byte) => byte === 0);
    if (!isNothing) this.#pieces.push({ position, bytes: Uint8Array.from(bytes) });
    this.length = Math.max(this.length, position + bytes.length);
  }

  truncate(length: number): void {
    this.#baseLength = Math.min(this.#baseLength, length);
    this.#pieces = this.#pieces
      .filter(({ position }) => position < length)
      .map(({ position, bytes }) => ({ position, bytes: bytes.subarray(0, length - position) }));
    this.length = length;
  }
}
