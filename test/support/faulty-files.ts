import {
  type DirectoryLock,
  type File,
  type Files,
  LogError,
  type OpenOptions,
} from '../../src/log/index.ts';
import { SeededRandom, type Random } from '../../src/util/index.ts';
import { DirNode, FaultyDisk, FileNode, rootNode } from './faulty-disk.ts';

/** A call of {@link Files} or of one of its open files, before it takes effect. */
export interface FileCall {
  readonly kind:
    | 'open'
    | 'list'
    | 'make-dir'
    | 'rename'
    | 'remove'
    | 'remove-dir'
    | 'sync-dir'
    | 'size'
    | 'space'
    | 'lock'
    | 'read'
    | 'write'
    | 'sync'
    | 'truncate'
    | 'file-size'
    | 'identify'
    | 'file-identity'
    | 'make-private'
    | 'close';
  readonly path: string;
  /** Of a rename. */
  readonly to?: string;
  readonly position?: number;
  /** Written, or to be read into. */
  readonly bytes?: Uint8Array;
  /** Of an open, or a write to a file opened so. */
  readonly syncWrites?: boolean;
}

/** A fault of a call. */
export type Fault =
  /**
   * It fails as the system would; of a write, `written` bytes were written first. A failed sync may drop the
   * data it should have written.
   */
  | { readonly code: string; readonly written?: number }
  /** A sync that says it did and did not. */
  | { readonly kind: 'lie' }
  /** A read that returns a flipped bit, once; the disk is as it was. */
  | { readonly kind: 'flip'; readonly bit: number };

export interface FaultyFilesOptions {
  /** Decides which data a failed sync drops. */
  readonly random?: Random;
  /** Called before every call, in order; its result is the fault. */
  readonly before?: ((call: FileCall) => Fault | undefined) | undefined;
  readonly totalBytes?: number;
}

/** A write that was under way when the power went or the process died. */
export interface InFlightWrite {
  readonly path: string;
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * Files on a disk that keeps its promises to the letter and not a sector more: for tests that lose unsynced
 * data.
 *
 * A write is on disk after a sync of its file, an entry after a sync of its directory. {@link crash} returns
 * the files that a second start would find. Every call takes effect at once and resolves in a microtask;
 * {@link before} is called first and may make it fail.
 */
export class FaultyFiles implements Files {
  before: ((call: FileCall) => Fault | undefined) | undefined;
  /** Bytes that files may still grow by; `ENOSPC` when they are used up. */
  freeBytes: number;
  /** Calls so far. */
  calls = 0;
  /** How far a lock reaches: files of another scope are on another machine, or after a reboot. */
  scope = 'memory';
  readonly #totalBytes: number;
  readonly #random: Random;
  #disk = new FaultyDisk();
  readonly #locked = new Set<string>();

  constructor(options: FaultyFilesOptions = {}) {
    this.before = options.before;
    this.#random = options.random ?? new SeededRandom(1);
    this.#totalBytes = options.totalBytes ?? 2 ** 40;
    this.freeBytes = this.#totalBytes;
  }

  /**
   * The files after the process died (`process`: all written data can be read, but unsynced data is still
   * unsynced) or the power went (`power`: any part of the unsynced data is there). They are files of their
   * own; these do not change.
   */
  crash(
    mode: 'process' | 'power',
    random: Random,
    options: { readonly inFlight?: readonly InFlightWrite[] } = {},
  ): FaultyFiles {
    const left = this.fork();
    for (const { path, position, bytes } of options.inFlight ?? []) {
      const node = left.#find(path);
      if (!(node instanceof FileNode)) continue;
      if (mode === 'power') node.write(position, bytes);
      else node.write(position, bytes.subarray(0, random.int(bytes.length + 1)));
    }
    if (mode === 'power') left.#disk = left.#disk.afterPowerLoss(random);
    return left;
  }

  /** A copy, unlocked and without a hook; changes of one do not affect the other. */
  fork(): FaultyFiles {
    const copy = new FaultyFiles({ random: new SeededRandom(this.calls), totalBytes: this.#totalBytes });
    copy.#disk = this.#disk.fork();
    copy.freeBytes = this.freeBytes;
    copy.scope = this.scope;
    return copy;
  }

  /** Changes bytes of a file at rest, on disk and in memory. */
  damage(path: string, change: (bytes: Uint8Array) => void): void {
    const node = this.#find(path);
    if (!(node instanceof FileNode)) throw systemError('ENOENT', path);
    node.damage(change);
  }

  /** The bytes of a file as the system shows them; undefined when there is none. */
  bytes(path: string): Uint8Array | undefined {
    const node = this.#find(path);
    return node instanceof FileNode ? node.shown : undefined;
  }

  /** The path of every file, sorted. */
  paths(): string[] {
    const paths: string[] = [];
    const visit = (dir: DirNode, prefix: string): void => {
      for (const [name, id] of dir.shown) {
        const node = this.#disk.nodes.get(id);
        if (node instanceof DirNode) visit(node, `${prefix}${name}/`);
        else paths.push(prefix + name);
      }
    };
    visit(this.#disk.dir(rootNode), '');
    return paths.sort();
  }

  // ---- paths

  #find(path: string): FileNode | DirNode | undefined {
    const id = this.#idOf(path);
    return id === undefined ? undefined : this.#disk.nodes.get(id);
  }

  #idOf(path: string): number | undefined {
    let id = rootNode;
    for (const name of partsOf(path)) {
      const node = this.#disk.nodes.get(id);
      const next = node instanceof DirNode ? node.shown.get(name) : undefined;
      if (next === undefined) return undefined;
      id = next;
    }
    return id;
  }

  /** The directory of a path, which must be there, and the name in it. */
  #place(path: string): { dir: number; name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    const dir = this.#idOf(parts.join('/'));
    if (name === undefined || dir === undefined || !(this.#disk.nodes.get(dir) instanceof DirNode))
      throw systemError('ENOENT', path);
    return { dir, name };
  }

  #dirId(path: string): number {
    const id = this.#idOf(path);
    if (id === undefined) throw systemError('ENOENT', path);
    if (!(this.#disk.nodes.get(id) instanceof DirNode)) throw systemError('ENOTDIR', path);
    return id;
  }

  /** Counts the call and asks the hook. */
  call(call: FileCall): Fault | undefined {
    this.calls++;
    return this.before?.(call);
  }

  /** The same for a call that can only work or fail. */
  #check(call: FileCall): void {
    const fault = this.call(call);
    if (fault !== undefined && 'code' in fault) throw systemError(fault.code, call.path);
  }

  /** Takes room for a file that grows. */
  take(bytes: number, path: string): void {
    if (bytes > this.freeBytes) throw systemError('ENOSPC', path);
    this.freeBytes -= bytes;
  }

  /** Whether a failed sync drops the data it should have written. */
  dropsOnFailure(): boolean {
    return this.#random.next() < 0.5;
  }

  // ---- Files

  async open(path: string, options: OpenOptions = {}): Promise<File> {
    this.#check({ kind: 'open', path, syncWrites: options.syncWrites === true });
    let node = this.#find(path);
    if (node === undefined) {
      if (!options.create) throw systemError('ENOENT', path);
      node = new FileNode();
      const place = this.#place(path);
      this.#disk.change({ removed: undefined, added: { ...place, node: this.#disk.add(node) } });
    }
    if (node instanceof DirNode) throw systemError('EISDIR', path);
    if (options.truncate && node.shown.length > 0) {
      this.freeBytes += node.shown.length;
      node.truncate(0);
    }
    return new FaultyFile(this, path, node, String(this.#idOf(path)), options.syncWrites === true);
  }

  async list(dir: string): Promise<string[]> {
    this.#check({ kind: 'list', path: dir });
    return [...this.#disk.dir(this.#dirId(dir)).shown.keys()].sort();
  }

  async makeDir(path: string): Promise<void> {
    this.#check({ kind: 'make-dir', path });
    let dir = rootNode;
    for (const name of partsOf(path)) {
      const known = this.#disk.dir(dir).shown.get(name);
      if (known !== undefined && !(this.#disk.nodes.get(known) instanceof DirNode))
        throw systemError('EEXIST', path);
      if (known === undefined) {
        const node = this.#disk.add(new DirNode());
        this.#disk.change({ removed: undefined, added: { dir, name, node } });
        dir = node;
      } else dir = known;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check({ kind: 'rename', path: from, to });
    const node = this.#idOf(from);
    if (node === undefined) throw systemError('ENOENT', from);
    const replaced = this.#find(to);
    if (replaced instanceof FileNode) this.freeBytes += replaced.shown.length;
    this.#disk.change({ removed: this.#place(from), added: { ...this.#place(to), node } });
  }

  async remove(path: string): Promise<void> {
    this.#check({ kind: 'remove', path });
    const node = this.#find(path);
    if (node === undefined) throw systemError('ENOENT', path);
    if (node instanceof DirNode) throw systemError('EISDIR', path);
    this.freeBytes += node.shown.length;
    this.#disk.change({ removed: this.#place(path), added: undefined });
  }

  async removeDir(path: string): Promise<void> {
    this.#check({ kind: 'remove-dir', path });
    if (this.#disk.dir(this.#dirId(path)).shown.size > 0) throw systemError('ENOTEMPTY', path);
    this.#disk.change({ removed: this.#place(path), added: undefined });
  }

  async syncDir(path: string): Promise<void> {
    const dir = this.#dirId(path); // a missing directory cannot be opened, and no sync is requested
    const fault = this.call({ kind: 'sync-dir', path });
    if (fault === undefined) this.#disk.syncDir(dir);
    else if ('code' in fault) {
      // Without a descriptor the sync was never asked for.
      if (fault.code !== 'EMFILE' && fault.code !== 'ENFILE' && this.dropsOnFailure())
        this.#disk.dropDirChanges(dir);
      throw systemError(fault.code, path);
    }
  }

  async size(path: string): Promise<number | undefined> {
    this.#check({ kind: 'size', path });
    const node = this.#find(path);
    return node instanceof FileNode ? node.shown.length : undefined;
  }

  async identify(path: string): Promise<string | undefined> {
    this.#check({ kind: 'identify', path });
    const id = this.#idOf(path);
    return id === undefined ? undefined : String(id);
  }

  async makePrivate(dir: string): Promise<void> {
    this.#check({ kind: 'make-private', path: dir });
  }

  async space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    this.#check({ kind: 'space', path });
    return { freeBytes: this.freeBytes, totalBytes: this.#totalBytes };
  }

  async lock(dir: string): Promise<DirectoryLock> {
    this.#check({ kind: 'lock', path: dir });
    if (this.#locked.has(dir))
      throw new LogError('data-dir-locked', `Data directory ${dir} is in use by this process.`);
    this.#locked.add(dir);
    return {
      scope: this.scope,
      holder: 'this process',
      release: async () => {
        this.#locked.delete(dir);
      },
    };
  }
}

class FaultyFile implements File {
  readonly #files: FaultyFiles;
  readonly #path: string;
  readonly #node: FileNode;
  readonly #identity: string;
  readonly #syncWrites: boolean;
  #closed = false;

  constructor(files: FaultyFiles, path: string, node: FileNode, identity: string, syncWrites: boolean) {
    this.#files = files;
    this.#path = path;
    this.#node = node;
    this.#identity = identity;
    this.#syncWrites = syncWrites;
  }

  #call(call: Pick<FileCall, 'kind' | 'position' | 'bytes'>): Fault | undefined {
    const fault = this.#files.call({ ...call, path: this.#path, syncWrites: this.#syncWrites });
    if (this.#closed) throw systemError('EBADF', this.#path);
    return fault;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const fault = this.#call({ kind: 'read', position, bytes: target });
    if (fault !== undefined && 'code' in fault) throw systemError(fault.code, this.#path);
    const source = this.#node.shown.subarray(position, position + target.length);
    target.set(source);
    if (fault?.kind === 'flip' && source.length > 0) {
      const bit = fault.bit % (source.length * 8);
      target[bit >>> 3]! ^= 1 << (bit & 7);
    }
    return source.length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const fault = this.#call({ kind: 'write', position, bytes });
    const failing = fault !== undefined && 'code' in fault ? fault : undefined;
    const written = failing === undefined ? bytes : bytes.subarray(0, failing.written ?? 0);
    this.#files.take(Math.max(0, position + written.length - this.#node.shown.length), this.#path);
    if (written.length > 0) this.#node.write(position, written);
    if (failing !== undefined) {
      // Written through, and it failed: the system may show it and never write it.
      if (this.#syncWrites && this.#files.dropsOnFailure()) this.#node.pending = [];
      throw systemError(failing.code, this.#path);
    }
    if (this.#syncWrites && fault === undefined) this.#node.sync();
  }

  async sync(): Promise<void> {
    const fault = this.#call({ kind: 'sync' });
    if (fault === undefined) this.#node.sync();
    else if ('code' in fault) {
      if (this.#files.dropsOnFailure()) this.#node.pending = [];
      throw systemError(fault.code, this.#path);
    }
  }

  async truncate(bytes: number): Promise<void> {
    const fault = this.#call({ kind: 'truncate', position: bytes });
    if (fault !== undefined && 'code' in fault) throw systemError(fault.code, this.#path);
    const { length } = this.#node.shown;
    if (bytes > length) this.#files.take(bytes - length, this.#path);
    else this.#files.freeBytes += length - bytes;
    if (bytes !== length) this.#node.truncate(bytes);
  }

  async size(): Promise<number> {
    const fault = this.#call({ kind: 'file-size' });
    if (fault !== undefined && 'code' in fault) throw systemError(fault.code, this.#path);
    return this.#node.shown.length;
  }

  async identity(): Promise<string> {
    const fault = this.#call({ kind: 'file-identity' });
    if (fault !== undefined && 'code' in fault) throw systemError(fault.code, this.#path);
    return this.#identity;
  }

  async close(): Promise<void> {
    const fault = this.#call({ kind: 'close' });
    this.#closed = true;
    if (fault !== undefined && 'code' in fault) throw systemError(fault.code, this.#path);
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
