import { Mutex, type Clock } from '../util/index.ts';
import { isShortage, LogError } from './errors.ts';
import type { DirectoryLock, File, Files } from './files.ts';
import { blockBytes, ownerName } from './format.ts';
import {
  encodeOwner,
  isUnused,
  noMark,
  ownersIn,
  readOwners,
  type JournalMark,
  type OwnerRecord,
} from './owner.ts';
import { replaceFile } from './whole-file.ts';

/** The services that a fence needs. */
export interface FenceContext {
  readonly files: Files;
  readonly dir: string;
  readonly uuid: Uint8Array;
  readonly lock: DirectoryLock;
  readonly clock: Clock;
  /** Identifies this process. */
  readonly token: Uint8Array;
  readonly heartbeatMs: number;
}

/** The connection between a running log and its fence. */
export interface FenceWatch {
  /** Files that report a failed sync to the log at once. */
  readonly files: Files;
  readonly mark: () => JournalMark;
  /** Paths that must still lead to the same files as when the watch began. */
  readonly places: readonly string[];
  readonly currentFile: () => { readonly path: string; readonly identity: string };
  readonly failed: (error: unknown) => void;
}

/** The owner record as found before this process took the directory. */
export interface FormerOwner {
  readonly mark: JournalMark;
  readonly stoppedCleanly: boolean;
}

/**
 * In heartbeats. An owner acks nothing if its last look is older than its lease; a successor waits for longer
 * than that.
 */
const leaseBeats = 3;
const takeoverBeats = 5;

/**
 * The fence keeps a second broker out of a data directory if the lock cannot: a broker that came by another
 * path of the file system, or from another machine. The file `owner` names the one broker that has the
 * directory, and contains its heartbeat.
 *
 * - If a starting broker finds another one named, whose lock its own lock does not exclude, it waits until
 *   the heartbeat has stopped for {@link takeoverBeats}.
 * - The owner checks the file with each heartbeat, before each checkpoint and before each journal file. If
 *   the file names another broker, it stops.
 * - It acks nothing unless its last check is younger than {@link leaseBeats}: everything it acked was written
 *   before a successor read the journal.
 *
 * The heartbeat also records how far the journal has come, so that a start knows how much there should be.
 * The check also makes sure that the files are still in their places.
 */
export class Fence {
  /** Undefined if the file was missing or damaged, or if its log was never open. */
  readonly former: FormerOwner | undefined;
  /**
   * Whether another broker had the directory, and only its silence shows that it ended: its last writes may
   * still arrive.
   */
  readonly tookOver: boolean;
  readonly #context: FenceContext;
  readonly #epoch: number;
  readonly #turns = new Mutex();
  #beat: number;
  #identity: string | undefined;
  #mark: JournalMark;
  #watch: FenceWatch | undefined = undefined;
  #places: readonly (readonly [path: string, identity: string | undefined])[] = [];
  #lookedMs: number;
  #stopped = false;
  /** The failure that stopped the heartbeats. */
  #failure: unknown = undefined;
  /** A second handle of the file, kept open for times without a free descriptor. */
  #kept: File | undefined = undefined;
  #timer: { cancel(): void } | undefined = undefined;

  private constructor(context: FenceContext, found: OwnerRecord | undefined, tookOver: boolean) {
    this.#context = context;
    this.former =
      found && !isUnused(found.mark) ? { mark: found.mark, stoppedCleanly: !found.isRunning } : undefined;
    this.tookOver = tookOver;
    this.#epoch = (found?.epoch ?? 0) + 1;
    this.#beat = found?.beat ?? 0;
    this.#mark = found?.mark ?? noMark;
    this.#lookedMs = context.clock.monotonic();
  }

  /** Makes this process the owner. Rejects with `data-dir-locked` if another one is alive. */
  static async claim(context: FenceContext): Promise<Fence> {
    const { files, dir, lock, clock, heartbeatMs } = context;
    let found = (await readOwners(files, dir))?.find((one) => Buffer.compare(one.uuid, context.uuid) === 0);
    const isUncertain = found?.isRunning === true && found.scope !== lock.scope;
    if (isUncertain) found = await waitForSilence(context, found!);
    const tookOver = isUncertain && found!.isRunning;
    const fence = new Fence(context, found, tookOver);
    const path = `${dir}/${ownerName}`;
    // In place, unless what is there would outlive the write: a record of another directory, perhaps of a
    // higher epoch.
    if (found !== undefined && (await files.size(path)) === 2 * blockBytes) await fence.#write();
    else {
      const blocks = [fence.#block(++fence.#beat, true), new Uint8Array(blockBytes)];
      await replaceFile(files, dir, path, fence.#beat % 2 === 0 ? blocks : blocks.reverse());
    }
    fence.#identity = await files.identify(path);
    if (isUncertain) {
      await clock.sleep(Math.max(heartbeatMs, found!.heartbeatMs));
      await fence.#checkPlace(path, fence.#identity);
      fence.#checkOwners((await readOwners(files, dir)) ?? []);
    }
    return fence;
  }

  /** Starts the heartbeats; the log is open now. */
  async begin(watch: FenceWatch): Promise<void> {
    this.#watch = watch;
    const { files } = this.#context;
    const places: [string, string | undefined][] = [];
    for (const path of watch.places) places.push([path, await files.identify(path)]);
    this.#places = places;
    this.#kept = await this.#open();
    await this.look();
    this.#arm();
  }

  #arm(): void {
    if (this.#stopped) return;
    const { clock, heartbeatMs } = this.#context;
    this.#timer = clock.setTimer(heartbeatMs, () => {
      void this.look()
        .catch(() => {}) // reported to the log, or a shortage that will pass
        .finally(() => this.#arm());
    });
  }

  /**
   * Undefined if durable commits may be acknowledged; otherwise resolves when they may. Rejects if they never
   * may.
   */
  confirm(): Promise<void> | undefined {
    return this.#isFresh ? undefined : this.#renew();
  }

  get #isFresh(): boolean {
    const { clock, heartbeatMs } = this.#context;
    return clock.monotonic() - this.#lookedMs <= leaseBeats * heartbeatMs;
  }

  async #renew(): Promise<void> {
    while (!this.#isFresh) {
      if (this.#stopped) throw this.#failure ?? new LogError('closed', 'The log is closed.');
      try {
        await this.look();
      } catch (error) {
        if (!isShortage(error)) throw error;
        await this.#context.clock.sleep(this.#context.heartbeatMs);
      }
    }
  }

  /**
   * Checks that this broker still owns the directory and that its files are in their places, and writes a
   * heartbeat. `next` is the journal file for the next commit.
   */
  look(next?: { readonly start: number; readonly capacity: number }): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#stopped) return;
      try {
        const startedMs = this.#context.clock.monotonic();
        await this.#checkPlaces();
        await this.#checkAndWrite(next);
        this.#lookedMs = startedMs;
      } catch (error) {
        if (!isShortage(error)) {
          this.#stopped = true;
          this.#failure = error;
          this.#watch?.failed(error);
        }
        throw error;
      }
    });
  }

  /**
   * All checks run concurrently: commits wait for them before each journal file, and each call takes a turn
   * of the event loop.
   */
  async #checkPlaces(): Promise<void> {
    const current = this.#watch?.currentFile();
    const places = this.#places.map(([path, identity]) => this.#checkPlace(path, identity));
    if (current !== undefined) places.push(this.#checkCurrent(current));
    await Promise.all([...places, this.#checkPlace(this.#path, this.#identity)]);
  }

  async #checkPlace(path: string, identity: string | undefined): Promise<void> {
    const { files, dir } = this.#context;
    if ((await files.identify(path)) !== identity) throw gone(dir, path);
  }

  async #checkCurrent({ path, identity }: ReturnType<FenceWatch['currentFile']>): Promise<void> {
    const { files, dir } = this.#context;
    if ((await files.identify(path)) === identity) return;
    // Unless the journal has moved to another file meanwhile.
    if (this.#watch?.currentFile().path === path) throw gone(dir, path);
  }

  get #path(): string {
    return `${this.#context.dir}/${ownerName}`;
  }

  #checkOwners(owners: readonly OwnerRecord[]): void {
    const { dir, token } = this.#context;
    for (const { epoch, token: other, holder } of owners) {
      if (epoch < this.#epoch || (epoch === this.#epoch && Buffer.compare(other, token) === 0)) continue;
      throw new LogError(
        'data-dir-taken',
        `Data directory ${dir} belongs to another broker now (${holder}), which came to it by another path or from another machine. ` +
          'Nothing more is acknowledged here. Let only one broker use the directory.',
      );
    }
  }

  #block(beat: number, isRunning: boolean): Uint8Array {
    const { uuid, token, lock, heartbeatMs } = this.#context;
    const { scope, holder } = lock;
    const mark = this.#mark;
    return encodeOwner({
      uuid,
      epoch: this.#epoch,
      token,
      beat,
      isRunning,
      scope,
      holder,
      mark,
      heartbeatMs,
    });
  }

  async #checkAndWrite(next: Parameters<Fence['look']>[0]): Promise<void> {
    const bytes = new Uint8Array(2 * blockBytes);
    await this.#withFile(async (file) => {
      const count = await file.read(bytes, 0);
      this.#checkOwners(ownersIn(bytes.subarray(0, count), `Data directory ${this.#context.dir}`));
      const mark = this.#watch?.mark() ?? this.#mark;
      this.#mark =
        next === undefined ? mark : { ...mark, fileStart: next.start, fileCapacity: next.capacity };
      await this.#writeTo(file, true);
    });
  }

  #write(isRunning: boolean = true): Promise<void> {
    return this.#withFile((file) => this.#writeTo(file, isRunning));
  }

  /**
   * Replaces the last heartbeat but one, so that the last survives if this write is torn. After a shortage
   * the next write goes to the same place: the other has the only record that is sure to be intact.
   */
  async #writeTo(file: File, isRunning: boolean): Promise<void> {
    const beat = this.#beat + 1;
    await file.write(this.#block(beat, isRunning), (beat % 2) * blockBytes);
    await file.sync();
    this.#beat = beat;
  }

  /** Opens the file anew each time: a network file system needs that to show the writes of others. */
  async #withFile(work: (file: File) => Promise<void>): Promise<void> {
    let file: File;
    try {
      file = await this.#open();
    } catch (error) {
      // Without a free descriptor the heartbeat continues; otherwise nothing would be acknowledged until
      // there is one.
      if (!this.#kept || !isOutOfDescriptors(error)) throw error;
      return work(this.#kept);
    }
    try {
      await work(file);
    } finally {
      await file.close();
    }
  }

  #open(): Promise<File> {
    return (this.#watch?.files ?? this.#context.files).open(this.#path);
  }

  /**
   * Ends the heartbeats. After a clean stop the file says that the directory is free, and where the journal
   * ended.
   */
  async end(isClean: boolean): Promise<void> {
    this.#timer?.cancel();
    await this.#turns.run(async () => {
      const kept = this.#kept;
      this.#kept = undefined;
      await kept?.close();
      if (this.#stopped) return;
      this.#stopped = true;
      if (!isClean) return;
      this.#mark = this.#watch?.mark() ?? this.#mark;
      await this.#write(false);
    });
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EMFILE' || code === 'ENFILE';
}

function gone(dir: string, path: string): LogError {
  return new LogError(
    'data-dir-gone',
    `${path} was removed or replaced while the broker was running: what is acknowledged from now on would be lost. ` +
      `Find out what changed data directory ${dir}, put back what is missing, then start again.`,
  );
}

/** Resolves to the last record, once no heartbeat has been written for long enough. */
async function waitForSilence(context: FenceContext, found: OwnerRecord): Promise<OwnerRecord> {
  const { files, dir, clock } = context;
  const heartbeatMs = Math.max(context.heartbeatMs, found.heartbeatMs);
  const endMs = clock.monotonic() + takeoverBeats * heartbeatMs;
  while (clock.monotonic() < endMs) {
    await clock.sleep(heartbeatMs / 2);
    const now = (await readOwners(files, dir))?.[0];
    if (now === undefined) continue;
    if (now.epoch === found.epoch && !now.isRunning) return now;
    if (now.epoch === found.epoch && now.beat === found.beat) continue;
    throw new LogError(
      'data-dir-locked',
      `Data directory ${dir} is in use by ${now.holder}, which came to it by another path or from another machine. ` +
        'Stop it, or choose another directory.',
    );
  }
  return found;
}
