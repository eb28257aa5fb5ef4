import type { PartitionRow } from './checkpoint.ts';
import { systemCode, type DamageReport } from './errors.ts';
import type { Files } from './files.ts';
import { segmentName, segmentSuffix, topicsDirName } from './format.ts';
import { segmentSuffixes } from './partition-segments.ts';
import type { Quarantine } from './quarantine.ts';

/**
 * Marks a file of a segment that is rebuilt from the journal. It is removed at the end of a recovery without
 * damage, and otherwise set aside.
 */
const asideSuffix = '.aside';

/** Files that an unclean stop left in the directory of one partition, beyond those of the checkpoint. */
interface Leftovers {
  /**
   * Files written after the checkpoint, under their name with `.aside`, and those of segments trimmed before
   * it.
   */
  readonly aside: string[];
  /** Compacted forms that have not replaced their originals, or not yet. */
  readonly compacted: string[];
  /** The file of the last segment, if it is longer than in the checkpoint. */
  longer: { readonly path: string; readonly bytes: number } | undefined;
}

/**
 * A survey compares the partition directories with the checkpoint's table after an unclean stop.
 *
 * Data written to segments after the checkpoint is in the journal too, and is rebuilt from there, because
 * after a crash the segments may not be trusted. So such files are moved aside before the replay, and removed
 * only if the journal is complete.
 */
export class Survey {
  readonly #files: Files;
  readonly #dataDir: string;
  readonly #quarantine: Quarantine;
  readonly #damaged: (report: DamageReport) => void;
  /** Partitions that have a directory. */
  readonly found: Set<number> = new Set();
  readonly #leftovers = new Map<number, Leftovers>();
  /** Partition directories that are not in the table. */
  readonly #unlisted = new Set<number>();

  constructor(
    files: Files,
    dataDir: string,
    quarantine: Quarantine,
    damaged: (report: DamageReport) => void,
  ) {
    this.#files = files;
    this.#dataDir = dataDir;
    this.#quarantine = quarantine;
    this.#damaged = damaged;
  }

  #dirOf(id: number): string {
    return `${this.#dataDir}/${topicsDirName}/${id}`;
  }

  /** Examines every directory and moves files aside that the replay will rebuild. */
  async begin(rows: ReadonlyMap<number, PartitionRow>): Promise<void> {
    for (const name of await this.#files.list(`${this.#dataDir}/${topicsDirName}`)) {
      if (!/^[1-9]\d{0,15}$/.test(name)) {
        await this.#setAside(`${this.#dataDir}/${topicsDirName}/${name}`, `${topicsDirName}-${name}`);
        continue;
      }
      const id = Number(name);
      const row = rows.get(id);
      if (row === undefined) this.#unlisted.add(id);
      await this.#look(id, row);
    }
  }

  async #look(id: number, row: PartitionRow | undefined): Promise<void> {
    const dir = this.#dirOf(id);
    const left: Leftovers = { aside: [], compacted: [], longer: undefined };
    const known = new Set<string>();
    for (const { baseOffset } of row?.segments ?? [])
      for (const suffix of segmentSuffixes) known.add(segmentName(baseOffset, suffix));
    let names: string[];
    try {
      names = await this.#files.list(dir);
    } catch (error) {
      if (systemCode(error) !== 'ENOTDIR') throw error;
      await this.#setAside(dir, `${topicsDirName}-${id}`);
      return;
    }
    this.found.add(id);
    for (const name of names) {
      if (known.has(name)) continue;
      const match = /^(\d{20})(\.log|\.index|\.timeindex|(\.\d+\.compacted))(\.aside)?$/.exec(name);
      const baseOffset = match === null ? -1 : Number(match[1]);
      if (match === null) {
        if (row !== undefined) await this.#setAside(`${dir}/${name}`, `${id}-${name}`);
      } else if (match[4] !== undefined) left.aside.push(name);
      else if (match[3] !== undefined) left.compacted.push(name);
      else if (
        row === undefined ||
        row.deleted ||
        baseOffset >= row.flushedEnd ||
        baseOffset < row.startOffset
      ) {
        await this.#files.rename(`${dir}/${name}`, `${dir}/${name}${asideSuffix}`);
        left.aside.push(name + asideSuffix);
      } else await this.#setAside(`${dir}/${name}`, `${id}-${name}`);
    }
    const last = row?.segments[row.segments.length - 1];
    if (last !== undefined && !last.sealed) {
      const path = `${dir}/${segmentName(last.baseOffset, segmentSuffix)}`;
      const size = await this.#files.size(path);
      if (size !== undefined && size > last.bytes) left.longer = { path, bytes: last.bytes };
    }
    if (left.aside.length > 0 || left.compacted.length > 0 || left.longer !== undefined)
      this.#leftovers.set(id, left);
  }

  /**
   * Whether the last segment's file is longer than in the checkpoint: nothing may be added to it until that
   * is settled.
   */
  isLonger(id: number): boolean {
    return this.#leftovers.get(id)?.longer !== undefined;
  }

  /**
   * Called after the replay. `whole`: the journal is complete, so that all content moved aside is in the log
   * again.
   */
  async finish(whole: boolean, isKnown: (id: number) => boolean): Promise<void> {
    for (const id of this.#unlisted) {
      if (isKnown(id)) continue;
      this.#leftovers.delete(id);
      try {
        await this.#setAside(this.#dirOf(id), `${topicsDirName}-${id}`);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error; // deleted meanwhile, according to the journal
      }
    }
    for (const [id, left] of this.#leftovers) {
      const dir = this.#dirOf(id);
      for (const name of [...left.aside, ...left.compacted]) {
        if ((await this.#files.size(`${dir}/${name}`)) === undefined) continue;
        if (whole) await this.#files.remove(`${dir}/${name}`);
        else await this.#setAside(`${dir}/${name}`, `${id}-${name}`);
      }
      // If it were not durable, a power loss after the next checkpoint, which knows no such file, could undo
      // the removal.
      await this.#files.syncDir(dir).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error; // the partition is being deleted
      });
      if (whole && left.longer !== undefined) await this.#cut(left.longer);
    }
  }

  async #cut({ path, bytes }: { path: string; bytes: number }): Promise<void> {
    if ((await this.#files.size(path)) === undefined) return;
    const file = await this.#files.open(path);
    try {
      await file.truncate(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #setAside(path: string, name: string): Promise<void> {
    const quarantined = await this.#quarantine.move(path, name);
    const shown = path.slice(this.#dataDir.length + 1);
    this.#damaged({
      kind: 'unknown-file',
      message: `${shown} is not part of the log as it is known and was set aside as ${quarantined}.`,
      path: shown,
      quarantined,
    });
  }
}

/** The table of partitions according to their files, for a start without a checkpoint: all files are kept. */
export async function rowsFromFiles(
  files: Files,
  dataDir: string,
  lastOffsets: (
    path: string,
    bytes: number,
    baseOffset: number,
  ) => Promise<{ endOffset: number; bytes: number; maxTimestampMs: number }>,
): Promise<PartitionRow[]> {
  const rows: PartitionRow[] = [];
  for (const name of await files.list(`${dataDir}/${topicsDirName}`)) {
    if (!/^[1-9]\d{0,15}$/.test(name)) continue;
    const dir = `${dataDir}/${topicsDirName}/${name}`;
    const bases: number[] = [];
    for (const inner of await files.list(dir)) {
      const match = /^(\d{20})\.log$/.exec(inner);
      if (match !== null) bases.push(Number(match[1]));
    }
    const segments = [];
    for (const [i, baseOffset] of bases.entries()) {
      const path = `${dir}/${segmentName(baseOffset, segmentSuffix)}`;
      const size = (await files.size(path)) ?? 0;
      const next = bases[i + 1];
      const found = await lastOffsets(path, size, baseOffset);
      if (found.bytes === 0) continue;
      const endOffset = Math.min(found.endOffset, next ?? Infinity);
      segments.push({
        baseOffset,
        endOffset,
        bytes: found.bytes,
        maxTimestampMs: found.maxTimestampMs,
        sealed: true,
      });
    }
    const end = segments[segments.length - 1]?.endOffset ?? 0;
    rows.push({
      id: Number(name),
      startOffset: segments[0]?.baseOffset ?? 0,
      endOffset: end,
      flushedEnd: end,
      maxTimestampMs: Math.max(0, ...segments.map(({ maxTimestampMs }) => maxTimestampMs)),
      segments,
    });
  }
  return rows;
}
