import type { Clock } from '../util/index.ts';
import { isShortage, LogError } from './errors.ts';
import type { File, Files } from './files.ts';
import { alignUp, blockBytes, journalName, temporarySuffix } from './format.ts';
import { encodeJournalHeader, fillWithZeros } from './journal-file.ts';

/** A file of the journal: positions `[start, start + capacity)`. */
export interface JournalFile {
  readonly path: string;
  readonly start: number;
  readonly capacity: number;
  readonly uses: number;
  /** See {@link JournalHeader}. */
  readonly previousStart: number;
  readonly previousEnd: number;
}

/** The file before a new one, and where its commits end, if that is known (else 0). */
export type Predecessor = Pick<JournalFile, 'previousStart' | 'previousEnd'>;

export interface JournalOptions {
  readonly files: Files;
  readonly clock: Clock;
  /** The directory of the journal files. */
  readonly dir: string;
  readonly uuid: Uint8Array;
  /** Size of a file once the journal has warmed up. */
  readonly fileBytes: number;
  /** A file could not be prepared, which is final. */
  readonly failed: (error: unknown) => void;
  /** Called before the next file takes its first commit; rejects if it must not. */
  readonly entering: (next: JournalFile) => Promise<void>;
  /**
   * Called with an error if there is no room for the next file, and with undefined when there is room again.
   */
  readonly stalled: (error: unknown) => void;
}

/**
 * The number of free files kept for later use; the others are removed. While room is short one is enough, for
 * when the next file cannot be created.
 */
const sparesMax = 3;
const sparesMaxWhenShort = 1;
const firstFileBytes = 4 * 2 ** 20;
const growth = 4;
const retryAfterMs = 1000;
/**
 * The end of each file is kept for commits that give room back, so that these do not need a next file that
 * the disk has no room for: a share of the file, and no more than this.
 */
const reserveShare = 1 / 16;
const reserveBytesMax = 256 * 1024;

/**
 * The journal is the only thing that a publish waits for: a sequence of bytes, from position 0 on without
 * end, in files that are filled one after the other.
 *
 * Files are zero-filled before they are used, and recycled when no checkpoint needs them, so that a commit
 * only overwrites existing bytes. With O_DSYNC that is one system call without a change to the file system's
 * own records. With O_DIRECT the bytes go from the committer's memory to the disk without a copy into the
 * page cache, where they would never be read. The next file is prepared while the current one fills.
 */
export class Journal {
  readonly #options: JournalOptions;
  #current: JournalFile;
  #file: File;
  #identity: string;
  /** Position of the next commit. */
  #position: number;
  #next: Promise<MadeFile> | undefined = undefined;
  /** Called when a try to make the next file has failed; another follows. */
  #tried: () => void = () => {};
  /** Files before the current one, oldest first, that a checkpoint may still need. */
  #older: JournalFile[];
  #spares: JournalFile[];
  /** The disk has little room left: only the necessary files are kept. */
  isShort = false;
  #closed = false;
  #wakeUp: () => void = () => {};
  readonly #closing: Promise<void> = new Promise((resolve) => (this.#wakeUp = resolve));

  private constructor(
    options: JournalOptions,
    current: JournalFile,
    { file, identity }: OpenedFile,
    position: number,
    older: JournalFile[],
    spares: JournalFile[],
  ) {
    this.#options = options;
    this.#current = current;
    this.#file = file;
    this.#identity = identity;
    this.#position = position;
    this.#older = older;
    this.#spares = spares;
  }

  /** Creates a journal whose first file starts at `start`. */
  static async create(
    options: JournalOptions,
    start: number = 0,
    spares: JournalFile[] = [],
    older: JournalFile[] = [],
    predecessor: Predecessor = { previousStart: -1, previousEnd: 0 },
  ): Promise<Journal> {
    const { journalFile, opened } = await makeFile(
      options,
      { start, ...predecessor },
      Math.min(firstFileBytes, options.fileBytes),
      spares,
      () => false,
    );
    return new Journal(options, journalFile, opened, start + blockBytes, older, spares);
  }

  /** Continues at `position` in a recovered file. */
  static async resume(
    options: JournalOptions,
    state: { current: JournalFile; position: number; older: JournalFile[]; spares: JournalFile[] },
  ): Promise<Journal> {
    const file = await options.files.open(state.current.path, { syncWrites: true });
    const opened = { file, identity: await file.identity() };
    const journal = new Journal(options, state.current, opened, state.position, state.older, state.spares);
    await journal.#dropSpares();
    return journal;
  }

  /** Removes spares that are too small to be used again, or too many. */
  async #dropSpares(): Promise<void> {
    const kept = this.#spares.filter(({ capacity }) => capacity >= this.#nextBytes).slice(0, sparesMax);
    const dropped = this.#spares.filter((spare) => !kept.includes(spare));
    this.#spares = kept;
    for (const { path } of dropped) await this.#options.files.remove(path);
  }

  /** Size of the file after the current one. */
  get #nextBytes(): number {
    const { fileBytes } = this.#options;
    return Math.max(
      Math.min(fileBytes, this.#current.capacity * growth),
      Math.min(firstFileBytes, fileBytes),
    );
  }

  /** The file for the next commit. */
  get current(): JournalFile {
    return this.#current;
  }

  /** The path of that file, and the identity of the file that must be there. */
  get currentFile(): { readonly path: string; readonly identity: string } {
    return { path: this.#current.path, identity: this.#identity };
  }

  get position(): number {
    return this.#position;
  }

  /** Bytes of all files, spares included. */
  get diskBytes(): number {
    let bytes = this.#current.capacity;
    for (const file of this.#older) bytes += file.capacity;
    for (const file of this.#spares) bytes += file.capacity;
    return bytes;
  }

  /** Whether a checkpoint, or the one after it, frees files. */
  get hasExcess(): boolean {
    return this.#older.length > 0 || this.#spares.length > this.#sparesMax;
  }

  get #sparesMax(): number {
    return this.isShort ? sparesMaxWhenShort : sparesMax;
  }

  /** Whether a commit of so many bytes fits behind the last one, without the reserve or with it. */
  hasRoom(bytes: number, mayUseReserve: boolean): boolean {
    const { start, capacity } = this.#current;
    const reserve = mayUseReserve ? 0 : Math.min(capacity * reserveShare, reserveBytesMax);
    return this.#position + bytes <= start + capacity - reserve;
  }

  /** Starts to prepare the next file, unless that has started. */
  prepare(): void {
    if (this.#next !== undefined || this.#closed) return;
    this.#next = this.#makePatiently(this.#current, this.#nextBytes);
    this.#next.catch((error: unknown) => this.#closed || this.#options.failed(error));
  }

  /**
   * Moves on to a file with room for `bytes`. While there is none to be had, asks after each try whether the
   * reserve may be used meanwhile.
   */
  async makeRoom(bytes: number, mayUseReserve: () => boolean): Promise<void> {
    while (!this.hasRoom(bytes, mayUseReserve())) {
      this.prepare();
      const tried = new Promise<undefined>((resolve) => (this.#tried = () => resolve(undefined)));
      const made = await Promise.race([this.#next!, tried]);
      if (made === undefined) continue;
      const { journalFile, opened } = made;
      await this.#options.entering(journalFile);
      this.#next = undefined;
      await this.#file.close();
      this.#older.push(this.#current);
      this.#current = journalFile;
      this.#file = opened.file;
      this.#identity = opened.identity;
      this.#position = journalFile.start + blockBytes;
      if (!this.hasRoom(bytes, mayUseReserve())) {
        // Larger than a whole file: it gets one of its own size.
        const own = alignUp(blockBytes + bytes + reserveBytesMax);
        this.#next = this.#makePatiently(journalFile, own);
        this.#next.catch((error: unknown) => this.#closed || this.#options.failed(error));
      }
    }
    this.prepare();
  }

  /**
   * Writes a commit, in whole blocks, at {@link position}. It is durable when the promise resolves. One call
   * at a time.
   */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, this.#position - this.#current.start);
    this.#position += bytes.length;
  }

  /** Frees the files before `position`, which no checkpoint needs. */
  async free(position: number): Promise<void> {
    while (this.#older.length > 0) {
      const oldest = this.#older[0]!;
      if (oldest.start + oldest.capacity > position) break;
      this.#older.shift();
      if (this.#spares.length < this.#sparesMax && oldest.capacity >= this.#options.fileBytes)
        this.#spares.push(oldest);
      else await this.#options.files.remove(oldest.path);
    }
    while (this.#spares.length > this.#sparesMax) await this.#options.files.remove(this.#spares.pop()!.path);
  }

  /** A file that is being prepared is abandoned. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeUp();
    const next = this.#next;
    this.#next = undefined;
    await this.#file.close();
    if (next !== undefined) await next.then(({ opened }) => opened.file.close()).catch(() => {});
  }

  /** Waits until a full disk has room: a file that is not in use yet can be retried from the start. */
  async #makePatiently(previous: JournalFile, bytes: number): Promise<MadeFile> {
    const place = {
      start: previous.start + previous.capacity,
      previousStart: previous.start,
      previousEnd: 0,
    };
    for (;;) {
      try {
        const made = await makeFile(this.#options, place, bytes, this.#spares, () => this.#closed);
        this.#options.stalled(undefined);
        return made;
      } catch (error) {
        if (!isShortage(error)) throw error;
        this.#options.stalled(error);
        this.#tried();
        const retry = new Promise<void>((resolve) => this.#options.clock.setTimer(retryAfterMs, resolve));
        await Promise.race([retry, this.#closing]);
        if (this.#closed) throw error;
      }
    }
  }
}

/** An open file and its identity. */
interface OpenedFile {
  readonly file: File;
  readonly identity: string;
}

interface MadeFile {
  readonly journalFile: JournalFile;
  readonly opened: OpenedFile;
}

/**
 * Makes a journal file ready for commits: from a spare if one is large enough, otherwise zero-filled. It is
 * durable, under its name, when the promise resolves.
 */
async function makeFile(
  options: JournalOptions,
  place: Predecessor & { readonly start: number },
  bytes: number,
  spares: JournalFile[],
  cancelled: () => boolean,
): Promise<MadeFile> {
  const { files, dir, uuid } = options;
  const { start } = place;
  const path = `${dir}/${journalName(start)}`;
  const spare = takeSpare(spares, path, bytes);
  if (spare !== undefined) {
    const file = await files.open(spare.path, { syncWrites: true });
    const journalFile = { path, ...place, capacity: spare.capacity, uses: spare.uses + 1 };
    await file.write(encodeJournalHeader({ uuid, ...journalFile }), 0);
    await files.rename(spare.path, path);
    await files.syncDir(dir);
    return { journalFile, opened: { file, identity: await file.identity() } };
  }
  const temporary = path + temporarySuffix;
  const fresh = await files.open(temporary, { create: true, truncate: true });
  const journalFile = { path, ...place, capacity: bytes, uses: 0 };
  try {
    await fresh.write(encodeJournalHeader({ uuid, ...journalFile }), 0);
    await fillWithZeros(fresh, blockBytes, bytes, cancelled);
  } catch (error) {
    await fresh.close();
    if (isShortage(error)) await files.remove(temporary);
    throw error;
  }
  await fresh.close();
  if (cancelled()) {
    await files.remove(temporary);
    throw new LogError('closed', 'The log was closed while a journal file was made ready.');
  }
  await files.rename(temporary, path);
  await files.syncDir(dir);
  const file = await files.open(path, { syncWrites: true });
  return { journalFile, opened: { file, identity: await file.identity() } };
}

/**
 * Takes a spare of at least `bytes` bytes off the list. A spare that has the new file's name (a file prepared
 * before the last stop may) is taken in any case: it is used, or the new file replaces it, and either way it
 * is a spare no more.
 */
function takeSpare(spares: JournalFile[], path: string, bytes: number): JournalFile | undefined {
  const namesake = spares.findIndex((spare) => spare.path === path);
  if (namesake >= 0) {
    const [spare] = spares.splice(namesake, 1);
    if (spare!.capacity >= bytes) return spare;
  }
  const fitting = spares.findIndex((spare) => spare.capacity >= bytes);
  return fitting < 0 ? undefined : spares.splice(fitting, 1)[0];
}
