import type { Random } from '../../src/util/index.ts';

/** The unit of a disk write: a sector is old or new after a crash, never half. */
export const sectorBytes = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number };

/**
 * A file of the model: the content that the system shows, the content on disk, and the changes in between.
 *
 * `shown` is `onDisk` with all of `pending`; after a failed sync it may show changes that are neither on disk
 * nor pending.
 */
export class FileNode {
  shown: Uint8Array = new Uint8Array(0);
  onDisk: Uint8Array = new Uint8Array(0);
  pending: Change[] = [];
  /** Another copy shares the same arrays: copy before changing. */
  #shownShared = false;
  #onDiskShared = false;

  write(position: number, bytes: Uint8Array): void {
    // a Buffer's slice would be a view
    this.pending.push({ kind: 'write', position, bytes: new Uint8Array(bytes) });
    this.shown = applyWrite(this.shown, this.#shownShared, position, bytes);
    this.#shownShared = false;
  }

  truncate(length: number): void {
    this.pending.push({ kind: 'truncate', length });
    this.shown = resized(this.shown, length);
    this.#shownShared = false;
  }

  /** Everything pending gets to the disk. */
  sync(): void {
    for (const change of this.pending) {
      this.onDisk =
        change.kind === 'truncate'
          ? resized(this.onDisk, change.length)
          : applyWrite(this.onDisk, this.#onDiskShared, change.position, change.bytes);
      this.#onDiskShared = false;
    }
    this.pending = [];
  }

  /** Changes bytes at rest, everywhere, as rot does. */
  damage(change: (bytes: Uint8Array) => void): void {
    this.shown = this.shown.slice();
    this.onDisk = this.onDisk.slice();
    this.#shownShared = this.#onDiskShared = false;
    change(this.shown);
    change(this.onDisk);
  }

  fork(): FileNode {
    const copy = new FileNode();
    copy.shown = this.shown;
    copy.onDisk = this.onDisk;
    copy.pending = [...this.pending];
    this.#shownShared = this.#onDiskShared = copy.#shownShared = copy.#onDiskShared = true;
    return copy;
  }

  /** The content after a power loss: any part of the pending changes, by sectors. */
  afterPowerLoss(random: Random): FileNode {
    const left = new FileNode();
    let bytes: Uint8Array = this.onDisk.slice();
    for (const change of this.pending) {
      if (change.kind === 'truncate') {
        if (random.next() < 0.5) bytes = resized(bytes, change.length);
        continue;
      }
      const mood = random.next(); // all, nothing, a first part, or sector by sector
      const end = change.position + change.bytes.length;
      const tornAt = change.position + random.int(change.bytes.length + 1);
      // The size got there, the data may not.
      if (end > bytes.length && random.next() < 0.3) bytes = resized(bytes, end);
      for (let at = change.position; at < end;) {
        const next = Math.min(end, (Math.floor(at / sectorBytes) + 1) * sectorBytes);
        const kept = mood < 0.3 || (mood < 0.5 ? false : mood < 0.75 ? next <= tornAt : random.next() < 0.5);
        if (kept)
          bytes = applyWrite(
            bytes,
            false,
            at,
            change.bytes.subarray(at - change.position, next - change.position),
          );
        else if (at >= this.onDisk.length && next <= bytes.length && random.next() < 0.1) {
          // A new block with old data of another file.
          bytes = applyWrite(bytes, false, at, random.bytes(next - at));
        }
        at = next;
      }
    }
    left.shown = left.onDisk = bytes;
    left.#shownShared = left.#onDiskShared = true;
    return left;
  }
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const changed = new Uint8Array(length);
  changed.set(bytes.subarray(0, Math.min(length, bytes.length)));
  return changed;
}

function applyWrite(target: Uint8Array, shared: boolean, position: number, bytes: Uint8Array): Uint8Array {
  const end = position + bytes.length;
  let changed = target;
  if (end > target.length) changed = resized(target, end);
  else if (shared) changed = target.slice();
  changed.set(bytes, position);
  return changed;
}

/** A directory of the model: entries as the system shows them, and as they are on disk. */
export class DirNode {
  readonly shown: Map<string, number> = new Map();
  readonly onDisk: Map<string, number> = new Map();

  fork(): DirNode {
    const copy = new DirNode();
    for (const [name, node] of this.shown) copy.shown.set(name, node);
    for (const [name, node] of this.onDisk) copy.onDisk.set(name, node);
    return copy;
  }
}

/** A change of directory entries; both halves of a rename happen or neither. */
interface EntryChange {
  readonly removed: { readonly dir: number; readonly name: string } | undefined;
  readonly added: { readonly dir: number; readonly name: string; readonly node: number } | undefined;
}

export const rootNode = 1;

/**
 * The model of a disk with a file system: nodes, and changes of entries that no directory sync has covered
 * yet, in order.
 */
export class FaultyDisk {
  readonly nodes: Map<number, FileNode | DirNode> = new Map<number, FileNode | DirNode>([
    [rootNode, new DirNode()],
  ]);
  #entryChanges: EntryChange[] = [];
  #lastNode = rootNode;

  add(node: FileNode | DirNode): number {
    this.nodes.set(++this.#lastNode, node);
    return this.#lastNode;
  }

  dir(node: number): DirNode {
    return this.nodes.get(node) as DirNode;
  }

  change(change: EntryChange): void {
    this.#entryChanges.push(change);
    applyEntries(change, (dir) => this.dir(dir).shown);
  }

  /** The directory's entries get to the disk. */
  syncDir(node: number): void {
    this.#entryChanges = this.#entryChanges.filter((change) => {
      if (!touches(change, node)) return true;
      applyEntries(change, (dir) => this.dir(dir).onDisk);
      return false;
    });
  }

  /** The sync failed, and the system forgot its pending changes. */
  dropDirChanges(node: number): void {
    this.#entryChanges = this.#entryChanges.filter((change) => !touches(change, node));
  }

  /** A copy of the disk; changes of one do not affect the other. */
  fork(): FaultyDisk {
    const copy = new FaultyDisk();
    for (const [id, node] of this.nodes) copy.nodes.set(id, node.fork());
    copy.#entryChanges = [...this.#entryChanges];
    copy.#lastNode = this.#lastNode;
    return copy;
  }

  /** The disk after the power went. */
  afterPowerLoss(random: Random): FaultyDisk {
    const left = this.fork();
    for (const change of left.#entryChanges)
      if (random.next() < 0.5) applyEntries(change, (dir) => left.dir(dir).onDisk);
    left.#entryChanges = [];
    for (const [id, node] of left.nodes) {
      if (node instanceof FileNode) left.nodes.set(id, node.afterPowerLoss(random));
      else {
        node.shown.clear();
        for (const [name, entry] of node.onDisk) node.shown.set(name, entry);
      }
    }
    return left;
  }
}

function touches({ removed, added }: EntryChange, dir: number): boolean {
  return removed?.dir === dir || added?.dir === dir;
}

function applyEntries({ removed, added }: EntryChange, entries: (dir: number) => Map<string, number>): void {
  if (removed !== undefined) entries(removed.dir).delete(removed.name);
  if (added !== undefined) entries(added.dir).set(added.name, added.node);
}
