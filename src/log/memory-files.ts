import { LogError } from './errors.ts';
import type { DirectoryLock, File, Files, OpenOptions } from './files.ts';

/** The content of a file in memory. */
export interface FileContent {
  readonly length: number;
  /** Returns the number of bytes read: fewer than requested only at the end. */
  read(target: Uint8Array, position: number): number | Promise<number>;
  write(bytes: Uint8Array, position: number): void;
  truncate(length: number): void;
}

/**
 * Files in memory, always in order and never lost, for tests of other things. Directories below `/` exist as
 * soon as they are created.
 */
export class MemoryFiles implements Files {
  readonly #files = new Map<string, FileContent>();
  readonly #dirs = new Set<string>(['/', '.']);
  readonly #locked = new Set<string>();
  readonly makePrivate: Files['makePrivate'] = () => Promise.resolve();
  /** There is always room. */
  readonly space: Files['space'] = () => Promise.resolve({ freeBytes: 2 ** 40, totalBytes: 2 ** 40 });

  async open(path: string, options: OpenOptions = {}): Promise<File> {
    let content = this.#files.get(path);
    if (content === undefined) {
      if (!options.create || !this.#dirs.has(parentOf(path))) throw systemError('ENOENT', path);
      content = new MemoryContent();
      this.#files.set(path, content);
    }
    if (options.truncate) content.truncate(0);
    return new MemoryFile(content);
  }

  async list(dir: string): Promise<string[]> {
    if (!this.#dirs.has(dir)) throw systemError('ENOENT', dir);
    const names: string[] = [];
    for (const path of [...this.#files.keys(), ...this.#dirs]) {
      if (path !== dir && parentOf(path) === dir) names.push(path.slice(path.lastIndexOf('/') + 1));
    }
    return names.sort();
  }

  async makeDir(path: string): Promise<void> {
    for (let dir = path; !this.#dirs.has(dir); dir = parentOf(dir)) this.#dirs.add(dir);
  }

  async rename(from: string, to: string): Promise<void> {
    if (!this.#dirs.has(parentOf(to))) throw systemError('ENOENT', to);
    const content = this.#files.get(from);
    if (content !== undefined) {
      this.#files.delete(from);
      this.#files.set(to, content);
      return;
    }
    if (!this.#dirs.has(from)) throw systemError('ENOENT', from);
    for (const dir of this.#dirs) {
      if (dir !== from && !dir.startsWith(`${from}/`)) continue;
      this.#dirs.delete(dir);
      this.#dirs.add(to + dir.slice(from.length));
    }
    for (const [path, moved] of this.#files) {
      if (!path.startsWith(`${from}/`)) continue;
      this.#files.delete(path);
      this.#files.set(to + path.slice(from.length), moved);
    }
  }

  async remove(path: string): Promise<void> {
    if (!this.#files.delete(path)) throw systemError('ENOENT', path);
  }

  async removeDir(path: string): Promise<void> {
    if ((await this.list(path)).length > 0) throw systemError('ENOTEMPTY', path);
    this.#dirs.delete(path);
  }

  async syncDir(path: string): Promise<void> {
    if (!this.#dirs.has(path)) throw systemError('ENOENT', path);
  }

  async size(path: string): Promise<number | undefined> {
    return this.#files.get(path)?.length;
  }

  async identify(path: string): Promise<string | undefined> {
    const content = this.#files.get(path);
    if (content !== undefined) return identityOf(content);
    return this.#dirs.has(path) ? `directory ${path}` : undefined;
  }

  async lock(dir: string): Promise<DirectoryLock> {
    if (this.#locked.has(dir))
      throw new LogError('data-dir-locked', `Data directory ${dir} is in use by this process.`);
    this.#locked.add(dir);
    return {
      scope: 'memory',
      holder: 'this process',
      release: async () => {
        this.#locked.delete(dir);
      },
    };
  }

  /** The bytes of a file, for a test to inspect or damage; undefined if there is none. */
  bytes(path: string): Uint8Array | undefined {
    const content = this.#files.get(path);
    return content instanceof MemoryContent ? content.view() : undefined;
  }

  /** Adds a file whose content is stored elsewhere. */
  protected place(path: string, content: FileContent): void {
    this.#files.set(path, content);
  }

  /** The paths of all files, sorted. */
  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** A copy of all files, unlocked: the state that a second start finds after the process died. */
  copy(): MemoryFiles {
    const copy = new MemoryFiles();
    for (const dir of this.#dirs) copy.#dirs.add(dir);
    for (const [path, content] of this.#files)
      if (content instanceof MemoryContent) copy.#files.set(path, content.copy());
    return copy;
  }
}

class MemoryContent implements FileContent {
  #bytes: Uint8Array = new Uint8Array(0);
  length = 0;

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  read(target: Uint8Array, position: number): number {
    const source = this.view().subarray(position, position + target.length);
    target.set(source);
    return source.length;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.view());
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, position);
    this.length = Math.max(this.length, end);
  }

  truncate(length: number): void {
    if (length < this.length) this.#bytes.fill(0, length, this.length);
    else this.write(new Uint8Array(length - this.length), this.length);
    this.length = length;
  }

  copy(): MemoryContent {
    const copy = new MemoryContent();
    copy.write(this.view(), 0);
    return copy;
  }
}

class MemoryFile implements File {
  readonly #content: FileContent;

  constructor(content: FileContent) {
    this.#content = content;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return this.#content.read(target, position);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#content.write(bytes, position);
  }

  async sync(): Promise<void> {}

  async truncate(bytes: number): Promise<void> {
    this.#content.truncate(bytes);
  }

  async size(): Promise<number> {
    return this.#content.length;
  }

  async identity(): Promise<string> {
    return identityOf(this.#content);
  }

  async close(): Promise<void> {}
}

const identities = new WeakMap<FileContent, string>();
let lastIdentity = 0;

function identityOf(content: FileContent): string {
  let identity = identities.get(content);
  if (identity === undefined) identities.set(content, (identity = `file ${++lastIdentity}`));
  return identity;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
