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

/** What a damaged header says of its own length is believed up to here. */
const claimedOffsetsMax = 2 ** 20;

/** What the replay of the journal calls. */
export interface ReplayTarget {
  /** The partition of a batch; undefined when it was deleted. */
  partition(id: number): DiskPartitionLog | undefined;
  batch(partition: DiskPartitionLog, batch: Batch): void;
  entry(kind: number, id: number, payload: Uint8Array): void;
  compacted(id: number, baseOffset: number, bytes: number, rewrite: number): void;
  committed(commit: number, timestampMs: number): void;
  /** Some megabytes were replayed, up to this commit. */
  pause(last: Replayed['last']): Promise<void>;
}

/** How the journal was found. */
export interface Replayed {
  /** Where the next commit goes, and its number. */
  readonly position: number;
  readonly nextCommit: number;
  readonly commits: number;
  readonly bytes: number;
  /** Of a last commit that was not written to its end: it had not been acknowledged, and is gone. */
  readonly tornBytes: number;
  /** Nothing before the end is damaged. */
  readonly whole: boolean;
  /**
   * The journal goes on in a new file, from here on or later: what stands behind {@link position}, or should,
   * is not to be met again. Undefined: it goes on where it ends.
   */
  readonly leaveTo: number | undefined;
  /**
   * How many offsets damaged commits may have given to a partition behind its last batch that is intact; at
   * most so many, 0 if none.
   */
  lostOffsets(partitionId: number): number;
  /** The last commit, which may be on disk only by appearance. */
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
 * Commits are numbered without gaps and are written one at a time, each only when the one before is on disk.
 * So a commit that is not what was written is *torn* if nothing valid follows it: it was being written when
 * the power went, nobody was told "ok", and it is cut off. If a later commit is valid, it is *damaged*: it
 * had been on disk. Then what of it is intact is replayed, the rest reported and kept aside, and everything
 * after it is replayed as ever.
 */
export class JournalReplay {
  readonly #context: RecoveryContext;
  readonly #target: ReplayTarget;
  /** Number of the next commit; -1 when any may come first. */
  #expected: number;
  #position: number;
  /** Where the replay began. */
  readonly #from: number;
  #commits = 0;
  #bytes = 0;
  #whole = true;
  #suspect: Suspect | undefined = undefined;
  #last: Replayed['last'] = undefined;
  /** Offsets of damaged batches, at most so many, by partition, since its last intact one. */
  readonly #lostOffsets = new Map<number, number>();
  /**
   * Bytes of commits of which nothing is left to say whose they were: so far, and how many that were at a
   * partition's last intact batch.
   */
  #lostCommits = 0;
  readonly #lostCommitsBefore = new Map<number, number>();
  /** Copies of damaged bytes, kept when there is time: the replay itself is synchronous. */
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

  /** Number of the last commit that the last owner knew to be on disk. */
  get #knownCommit(): number {
    return this.#context.dataDir.fence.former?.mark.commit ?? 0;
  }

  /** The last commit found is not intact. If it was known to be on disk, it is damaged and not torn. */
  #settleSuspect(): void {
    const suspect = this.#suspect;
    if (suspect !== undefined && suspect.header.commit <= this.#knownCommit) this.#replayDamaged(suspect);
  }

  /**
   * Holds the end of the journal against what it should be: files that are missing or short, and commits that
   * the last owner knew to be on disk. Says where the journal may go on, if not where it ends.
   */
  #findMissing(): number | undefined {
    const { dataDir, damaged } = this.#context;
    const { former, tookOver } = dataDir.fence;
    const end = this.#suspect?.header.position ?? this.#position;
    const last = (this.#suspect?.header.commit ?? Math.max(1, this.#expected)) - 1;
    const problems = chainProblems(this.#journalFiles, this.#from, former);
    const knownCommit = this.#knownCommit;
    const isShort = knownCommit > last;
    // A clean stop said how far it goes: if that is there, nothing is missing that counts.
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
   * A batch is lost: its offsets are not to be given to others, even if no later batch of its partition says
   * how many they were.
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

  /** A commit whose header is intact but not all of its content, and which others follow. */
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

  /** The file that a position of the journal is in. */
  #fileAt(position: number): ListedFile | undefined {
    return this.#journalFiles.find(({ start, capacity }) => position >= start && position < start + capacity);
  }

  /** What stands at a position of the journal, as far as it is in one file. */
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
   * Cuts off the commit that was being written; says how many bytes it had. A copy is kept: should its last
   * bit have rotted after all, somebody may still want it.
   *
   * What is cut is erased. Its number is given again, to a commit that may be too large for the same place
   * and go to the next file: a later replay that met the torn one first would take the whole one for older,
   * and cut the journal here once more, with all that was acknowledged since.
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
   * The commit behind the last one, or first in a later file, if one had been there and not even its header
   * is intact.
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

  /** Overwrites the block at a position of the journal, durably: no commit begins there any more. */
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
