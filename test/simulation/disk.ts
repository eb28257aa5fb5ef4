import { FaultyFiles, type FileCall, type Fault as CallFault } from '../support/faulty-files.ts';
import type { SeededRandom } from '../../src/util/index.ts';
import type { Call } from './gated-files.ts';
import type { Fault } from './script.ts';

/** The disk outlives the process: files that lose unsynced data, and that fail when the script says so. */
export class Disk {
  readonly files: FaultyFiles;
  readonly #random: SeededRandom;
  #faults: { readonly fault: Fault; passed: number; failed: number }[] = [];
  #failures = 0;
  #failNext: string | undefined;
  /**
   * A sync of a directory failed. A file system whose journal cannot be written stops: it must be mounted
   * again before it is read, without the data that was not on disk.
   */
  isBroken = false;
  /** Calls that failed so that something could not be read. */
  readFailures = 0;
  /** Called when something was to be on disk and failed. */
  onSyncFailed: () => void = () => {};

  constructor(random: SeededRandom, files: FaultyFiles = new FaultyFiles({ random })) {
    this.files = files;
    this.#random = random;
    files.before = (call) => this.#before(call);
  }

  /** The next call fails. */
  failNext(code: string): void {
    this.#failNext = code;
  }

  /** From now on calls fail as the fault says. */
  fault(fault: Fault): void {
    this.#faults.push({ fault, passed: 0, failed: 0 });
  }

  /** Ends all faults; says how many calls failed since the last time. */
  takeFaults(): number {
    const failures = this.#failures;
    this.#failures = 0;
    this.#faults = [];
    return failures;
  }

  /**
   * The disk after the process dies during these calls: each of them may have taken effect, writes in part.
   */
  afterCrash(power: boolean, underWay: readonly Call[], random: SeededRandom): Disk {
    const inFlight = [];
    this.files.before = undefined;
    for (const call of underWay) {
      if (random.int(2) === 0) continue;
      const { path, position, bytes } = call;
      if (position !== undefined && bytes !== undefined) inFlight.push({ path, position, bytes });
      else call.effect();
    }
    const left = this.files.crash(power ? 'power' : 'process', random, { inFlight });
    const disk = new Disk(random, left);
    disk.#faults = this.#faults;
    disk.#failures = this.#failures;
    disk.readFailures = this.readFailures;
    disk.onSyncFailed = this.onSyncFailed;
    return disk;
  }

  #before(call: FileCall): CallFault | undefined {
    const code = this.#codeFor(call);
    if (code === undefined) return undefined;
    const { kind, bytes, syncWrites } = call;
    this.#failures++;
    if (kind === 'read' || kind === 'open') this.readFailures++;
    if (kind === 'sync-dir' && code !== 'EMFILE') this.isBroken = true;
    const wasToSync = kind === 'sync' || (kind === 'sync-dir' && code !== 'EMFILE');
    if (wasToSync || (kind === 'write' && syncWrites)) this.onSyncFailed();
    return { code, written: kind === 'write' ? this.#bytesWritten(bytes!.length) : 0 };
  }

  /** Before a write failed: often all of it was taken, and only the way to the disk was not found. */
  #bytesWritten(bytes: number): number {
    return this.#random.int(2) === 0 ? bytes : this.#random.int(bytes + 1);
  }

  #codeFor({ kind }: FileCall): string | undefined {
    const next = this.#failNext;
    this.#failNext = undefined;
    if (next !== undefined) return next;
    for (const active of this.#faults) {
      const { fault } = active;
      if (fault.call !== 'any' && fault.call !== kind && !(fault.call === 'sync' && kind === 'sync-dir'))
        continue;
      if (active.passed++ < fault.after || active.failed++ >= fault.count) continue;
      return fault.code;
    }
    return undefined;
  }
}
