import { readI64 } from '../util/index.ts';
import { Batch } from './batch.ts';
import { readCommitEntries, readRuinedHeader, type CommitHeader } from './commit.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';
import { LogError } from './errors.ts';
import {
  EntryClass,
  LogEntryKind,
  alignUp,
  batchHeaderBytes,
  batchLastDeltaAt,
  blockBytes,
  journalDirName,
  journalName,
  recordBytesMin,
} from './format.ts';
import type { RecoveryContext } from './inventory.ts';
import { scanJournal } from './journal-scan.ts';
import { chainProblems, endOf, type ListedFile } from './journal-chain.ts';

/** The largest number of offsets that a damaged header is trusted with. */
const claimedOffsetsMax = 2 ** 20;

/** The callbacks of the replay. */
export interface ReplayTarget {
  /** The partition of a batch; undefined when it was deleted. */
  partition(id: number): DiskPartitionLog | undefined;
  batch(partition: DiskPartitionLog, batch: Batch): void;
  entry(kind: number, id: number, payload: Uint8Array): void;
  compacted(id: number, baseOffset: number, bytes: number, rewrite: number): void;
  committed(commit: number, timestampMs: number): void;
  /** Called every few megabytes, with the last commit replayed. */
  pause(last: Replayed['last']): Promise<void>;
}

/** The result of the replay. */
export interface Replayed {
  /** Position and number of the next commit. */
  readonly position: number;
  readonly nextCommit: number;
  readonly commits: number;
  readonly bytes: number;
  /** Bytes of an incomplete last commit, which had not been acknowledged and was cut off. */
  readonly tornBytes: number;
  /** Whether nothing before the end is damaged. */
  readonly whole: boolean;
  /**
   * The journal continues in a new file, at this position or later, so that the content after {@link
   * position}, present or missing, is not read again. Undefined: it continues where it ends.
   */
  readonly leaveTo: number | undefined;
  /**
   * The most offsets that damaged commits may have given to a partition after its last intact batch; 0 if
   * none.
   */
  lostOffsets(partitionId: number): number;
  /** The last commit, which may only seem to be on disk. */
  readonly last: { readonly file: ListedFile; readonly position: number; readonly bytes: number } | undefined;
}

interface Suspect {
  readonly header: CommitHeader;
  readonly position: number;
  readonly bytes: Buffer;
  readonly file: ListedFile;
}

/**
 * Replays the commits after a checkpoint, in order.
 *
 * Commits are numbered without gaps and written one at a time, each only when the previous one is on disk. So
 * an invalid commit that no valid commit follows is *torn*: it was being written when the power went, was not
 * acknowledged, and is cut off. If a later commit is valid, the invalid one is *damaged*: it had been on
 * disk. Then its intact parts are replayed, the rest is reported and kept aside, and the replay goes on after
 * it.
 */
export class JournalReplay {
  readonly #context: RecoveryContext;
  readonly #target: ReplayTarget;
  /** Number of the next commit; -1 if any number may come first. */
  #expected: number;
  #position: number;
  /** Start of the replay. */
  readonly #from: number;
  #commits = 0;
  #bytes = 0;
  #whole = true;
  #suspect: Suspect | undefined = undefined;
  #last: Replayed['last'] = undefined;
  /** The most offsets of damaged batches, by partition, since its last intact batch. */
  readonly #lostOffsets = new Map<number, number>();
  /**
   * Bytes of commits that are too damaged to tell their partitions: so far, and the number at each
   * partition's last intact batch.
   */
  #lostCommits = 0;
  readonly #lostCommitsBefore = new Map<number, number>();
  /** Copies of damaged bytes, to be written later: the replay itself is synchronous. */
  readonly #keeping: (() => Promise<void>)[] = [];
  #journalFiles: readonly ListedFile[] = [];

  constructor(
    context: RecoveryContext,
    target: ReplayTarget,
    from: { commit: number; position: number } | undefined,
  ) {
    this.#context = context;
    this.#target = target;
    this.#expected = from === undefined ? -1 : from.commit + 1;
    this.#position = this.#from = from === undefined ? 0 : from.position;
  }

  async run(journalFiles: readonly ListedFile[]): Promise<Replayed> {
    const { files, dataDir } = this.#context;
    this.#journalFiles = journalFiles;
    await scanJournal(
      files,
      journalFiles,
      this.#position,
      dataDir.tag,
      (buffer, start, header, file) => this.#found(buffer, start, header, file),
      async () => {
        for (const keep of this.#keeping.splice(0)) await keep();
        await this.#target.pause(this.#last);
      },
    );
    for (const keep of this.#keeping.splice(0)) await keep();
    this.#settleSuspect();
    const leaveTo = this.#findMissing();
    const tornBytes = leaveTo === undefined ? await this.#cutTorn() : 0;
    for (const keep of this.#keeping.splice(0)) await keep();
    return {
      position: this.#position,
      nextCommit: Math.max(1, this.#expected),
      commits: this.#commits,
      bytes: this.#bytes,
      tornBytes,
      whole: this.#whole,
      leaveTo,
      last: this.#last,
      lostOffsets: (id) => {
        const commitBytes = this.#lostCommits - (this.#lostCommitsBefore.get(id) ?? 0);
        return (this.#lostOffsets.get(id) ?? 0) + Math.floor(commitBytes / recordBytesMin);
      },
    };
  }

  /** Number of the last commit that the last owner recorded as durable. */
  get #knownCommit(): number {
    return this.#context.dataDir.fence.former?.mark.commit ?? 0;
  }

  /** Decides about an invalid last commit: if it was recorded as durable, it is damaged and not torn. */
  #settleSuspect(): void {
    const suspect = this.#suspect;
    if (suspect !== undefined && suspect.header.commit <= this.#knownCommit) this.#replayDamaged(suspect);
  }

  /**
   * Compares the end of the journal with where it should be: missing or short files, and commits that the
   * last owner recorded as durable. Returns where the journal may continue, if not at its end.
   */
  #findMissing(): number | undefined {
    const { dataDir, damaged } = this.#context;
    const { former, tookOver } = dataDir.fence;
    const end = this.#suspect?.header.position ?? this.#position;
    const last = (this.#suspect?.header.commit ?? Math.max(1, this.#expected)) - 1;
    const problems = chainProblems(this.#journalFiles, this.#from, former);
    const knownCommit = this.#knownCommit;
    const isShort = knownCommit > last;
    // A clean stop recorded how far the journal goes: if that much is there, nothing important is missing.
    const isComplete = former?.stoppedCleanly === true && !isShort;
    for (const { message, path, from, to } of problems) {
      const cost =
        to <= end
          ? ''
          : isComplete
            ? ' Nothing was in it: the log had been stopped.'
            : ` ${lostBehind(last, knownCommit)}`;
      damaged({ kind: 'journal', message: message + cost, path, position: from, bytes: to - from });
    }
    if (isShort && problems.every(({ to }) => to <= end)) {
      const path = `${journalDirName}/${journalName(this.#fileAt(end)?.start ?? end)}`;
      const message = `The journal ends too early: an older form of ${path} stands in its place, or its end was erased. ${lostBehind(last, knownCommit)}`;
      damaged({ kind: 'journal', message, path, position: end, bytes: (former?.mark.position ?? end) - end });
    }
    const leaveTo = Math.max(
      isShort ? former!.mark.position : 0,
      ...problems.map(({ to }) => to),
      ...(tookOver ? this.#journalFiles.map(endOf) : []),
    );
    if (!tookOver && leaveTo <= end) return undefined;
    if (isShort || (problems.some(({ to }) => to > end) && !isComplete)) {
      this.#whole = false;
      this.#lostCommits += Math.max(0, leaveTo - end);
      this.#expected = Math.max(last, knownCommit) + 1;
    } else this.#expected = last + 1;
    this.#position = end;
    this.#suspect = undefined; // it stays where it is, and is not read again
    return leaveTo;
  }

  #found(buffer: Buffer, start: number, header: CommitHeader, file: ListedFile): void {
    if (header.commit < this.#expected) return;
    if (this.#suspect !== undefined) this.#replayDamaged(this.#suspect);
    if (this.#expected >= 0 && header.commit > this.#expected) this.#reportMissing(header);
    this.#expected = header.commit + 1;
    let intact = true;
    readCommitEntries(buffer, start, header, true, (entry) => {
      intact &&= entry.intact;
    });
    if (!intact) {
      const bytes = Buffer.from(buffer.subarray(start, start + header.length));
      this.#suspect = { header, position: header.position, bytes, file };
      return;
    }
    this.#replay(buffer, start, header, file, false);
  }

  #replay(buffer: Buffer, start: number, header: CommitHeader, file: ListedFile, damaged: boolean): void {
    const target = this.#target;
    readCommitEntries(
      buffer,
      start,
      header,
      damaged,
      ({ entryClass, kind, id, start: from, end, intact }) => {
        const payload = buffer.subarray(from, end);
        if (!intact) {
          if (entryClass === EntryClass.batch) this.#noteLost(id, payload);
        } else if (entryClass === EntryClass.batch) this.#replayBatch(id, payload);
        else if (entryClass === EntryClass.host) target.entry(kind, id, payload);
        else this.#replayLogEntry(kind, id, payload);
      },
    );
    target.committed(header.commit, header.timestampMs);
    const bytes = alignUp(header.length);
    this.#position = header.position + bytes;
    this.#commits++;
    this.#bytes += bytes;
    this.#last = { file, position: header.position, bytes };
  }

  #replayBatch(id: number, payload: Buffer): void {
    const partition = this.#target.partition(id);
    if (partition === undefined) return;
    const found = new Batch(payload);
    const { batch, lostFrom } = partition.recovery.replayed(found);
    if (batch.baseOffset > lostFrom && !this.#whole) {
      this.#context.damaged({
        kind: 'journal',
        message: `Offsets ${lostFrom} to ${batch.baseOffset - 1} of partition ${id} are lost: they were in a damaged part of the journal.`,
        path: journalDirName,
        partitionId: id,
        fromOffset: lostFrom,
        toOffset: batch.baseOffset,
      });
    }
    if (!this.#whole) {
      this.#lostOffsets.delete(id);
      this.#lostCommitsBefore.set(id, this.#lostCommits);
    }
    this.#target.batch(partition, batch);
  }

  /**
   * Notes a lost batch: its offsets must not be used again, even if no later batch of its partition says how
   * many they were.
   */
  #noteLost(id: number, payload: Buffer): void {
    const claimed = payload.length < batchHeaderBytes ? 0 : payload.readUInt32BE(batchLastDeltaAt) + 1;
    const offsets = Math.max(
      Math.ceil(payload.length / recordBytesMin),
      claimed <= claimedOffsetsMax ? claimed : 0, // more than fit its bytes only if it is compressed
    );
    this.#lostOffsets.set(id, (this.#lostOffsets.get(id) ?? 0) + offsets);
  }

  #replayLogEntry(kind: number, id: number, payload: Buffer): void {
    if (kind === LogEntryKind.trimmed) this.#target.partition(id)?.trim(readI64(payload, 0));
    else if (kind === LogEntryKind.compacted) {
      this.#target.compacted(id, readI64(payload, 0), readI64(payload, 8), readI64(payload, 16));
    } else
      throw new LogError(
        'format-newer',
        `The journal holds an entry of kind ${kind} this program does not know. Start a newer program.`,
      );
  }

  /**
   * Replays the intact parts of a commit with an intact header and damaged content, which is followed by
   * others.
   */
  #replayDamaged({ header, bytes, file }: Suspect): void {
    this.#suspect = undefined;
    this.#whole = false;
    const lost: string[] = [];
    readCommitEntries(bytes, 0, header, true, (entry) => {
      if (entry.intact) return;
      const what =
        entry.entryClass === EntryClass.batch
          ? `a batch of partition ${entry.id}`
          : `a state entry (kind ${entry.kind}, id ${entry.id})`;
      lost.push(what);
    });
    this.#report(
      header.position,
      bytes.length,
      file,
      `Commit ${header.commit} is damaged: ${lost.join(', ')} lost, the rest of it is kept.`,
      bytes,
    );
    this.#replay(bytes, 0, header, file, true);
  }

  #reportMissing(next: CommitHeader): void {
    this.#whole = false;
    const from = this.#position;
    this.#lostCommits += next.position - from;
    const message = `Commits ${this.#expected} to ${next.commit - 1} are damaged beyond reading and lost; what follows them is kept.`;
    this.#report(from, next.position - from, undefined, message, undefined);
  }

  #report(
    position: number,
    bytes: number,
    file: ListedFile | undefined,
    message: string,
    content: Buffer | undefined,
  ): void {
    const { damaged, quarantine } = this.#context;
    const path = `${journalDirName}/${file === undefined ? journalName(position) : file.path.slice(file.path.lastIndexOf('/') + 1)}`;
    const name = `${journalDirName}-at-${position}`;
    this.#keeping.push(async () => {
      const copy = content ?? (await this.#read(position, bytes));
      const quarantined = copy.length === 0 ? undefined : await quarantine.keep(name, copy);
      damaged({
        kind: 'journal',
        message,
        path,
        position,
        bytes,
        ...(quarantined === undefined ? {} : { quarantined }),
      });
    });
  }

  /** The file that contains a journal position. */
  #fileAt(position: number): ListedFile | undefined {
    return this.#journalFiles.find(({ start, capacity }) => position >= start && position < start + capacity);
  }

  /** Reads bytes at a journal position, as far as they are in one file. */
  async #read(position: number, bytes: number): Promise<Buffer> {
    const file = this.#fileAt(position);
    if (file === undefined) return Buffer.alloc(0);
    const opened = await this.#context.files.open(file.path);
    try {
      const content = Buffer.alloc(Math.min(bytes, file.start + file.capacity - position, 2 ** 26));
      return content.subarray(0, await opened.read(content, position - file.start));
    } finally {
      await opened.close();
    }
  }

  /**
   * Cuts off the torn commit; returns its number of bytes. A copy is kept: if its last bit has rotted after
   * all, it may still be of use.
   *
   * The torn commit is erased. Its number is used again, by a commit that may be too large for the same place
   * and go to the next file. A later replay would meet the torn commit first, take the valid one for older,
   * and cut off the journal here once more, with everything acknowledged since.
   */
  async #cutTorn(): Promise<number> {
    const suspect = this.#suspect;
    if (suspect !== undefined) {
      this.#expected = suspect.header.commit;
      this.#position = suspect.position;
    }
    const torn = suspect ?? (await this.#findRuined());
    if (torn === undefined) return 0;
    const { position, bytes } = torn;
    await this.#context.quarantine.keep(`torn-commit-${this.#expected}`, bytes);
    await this.#erase(position);
    return bytes.length;
  }

  /**
   * The commit after the last one, or the first in a later file, if there was one whose header is not intact.
   */
  async #findRuined(): Promise<{ position: number; bytes: Buffer } | undefined> {
    const { tag } = this.#context.dataDir;
    const later = this.#journalFiles.filter(({ start }) => start >= this.#position);
    for (const position of [this.#position, ...later.map(({ start }) => start + blockBytes)]) {
      const block = await this.#read(position, blockBytes);
      const bytes =
        block.length < blockBytes
          ? undefined
          : readRuinedHeader(block, { position, commit: this.#expected, tag });
      if (bytes !== undefined)
        return { position, bytes: await this.#read(position, Math.max(blockBytes, bytes)) };
    }
    return undefined;
  }

  /** Overwrites the block at a journal position, durably, so that no commit starts there any more. */
  async #erase(position: number): Promise<void> {
    const file = this.#fileAt(position)!;
    const opened = await this.#context.files.open(file.path, { syncWrites: true });
    try {
      await opened.write(new Uint8Array(blockBytes), position - file.start);
    } finally {
      await opened.close();
    }
  }
}

function lostBehind(last: number, known: number): string {
  return known > last
    ? `Commits ${last + 1} to ${known} are lost, and what was committed after them within a heartbeat.`
    : `What was committed after commit ${last}, within the last heartbeat before the process ended, may be lost.`;
}
