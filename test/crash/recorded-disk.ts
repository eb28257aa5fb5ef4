import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { eventually } from '../support/index.ts';
import { type BlockEvent, readBlockLog } from './block-log.ts';
import { Child, scriptPath } from './child.ts';
import { run } from './tools.ts';

/** Why power losses cannot be tried here, if they cannot. */
export const recordedDiskNeeds = [
  'root',
  'nbdfuse',
  'losetup',
  'mkfs.ext4',
  '/dev/fuse',
  '/dev/loop-control',
] as const;

/**
 * A recorded disk is an ext4 file system on a loop device on a file of nbdfuse. A process of ours holds its
 * blocks, and records each write and each flush. It is mounted at `path`.
 */
export class RecordedDisk implements AsyncDisposable {
  readonly path: string;
  /** The image before the first mount. */
  readonly base: Buffer;
  readonly #logPath: string;
  readonly #recorder: Child;
  readonly #fuse: Child;
  readonly #fuseDirectory: string;
  #loop: string | undefined;
  #isMounted = false;

  private constructor(directory: string, base: Buffer, recorder: Child, fuse: Child) {
    this.path = join(directory, 'disk');
    this.#logPath = join(directory, 'blocks.log');
    this.#fuseDirectory = join(directory, 'fuse');
    this.base = base;
    this.#recorder = recorder;
    this.#fuse = fuse;
  }

  static async mount(directory: string, bytes: number): Promise<RecordedDisk> {
    const image = join(directory, 'base.image');
    const descriptor = openSync(image, 'w');
    ftruncateSync(descriptor, bytes);
    closeSync(descriptor);
    // Everything is set up now rather than by a kernel thread after the mount.
    run('mkfs.ext4', '-q', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
    const socket = join(directory, 'nbd.socket');
    const recorderArgs = [
      scriptPath('./block-recorder-process.js'),
      socket,
      image,
      join(directory, 'blocks.log'),
    ];
    const recorder = new Child(process.execPath, recorderArgs, { ipc: true });
    await once(recorder.process, 'message');
    const fuseDirectory = join(directory, 'fuse');
    mkdirSync(fuseDirectory);
    const fuse = new Child('nbdfuse', [fuseDirectory, `nbd+unix:///?socket=${socket}`]);
    const disk = new RecordedDisk(directory, readFileSync(image), recorder, fuse);
    try {
      await disk.#mount();
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #mount(): Promise<void> {
    const file = join(this.#fuseDirectory, 'nbd');
    await eventually(
      () => {
        if (this.#fuse.end !== undefined) throw new Error(`nbdfuse ended: ${this.#fuse.output}`);
        return existsSync(file);
      },
      { message: 'nbdfuse to serve the disk' },
    );
    // Programs that use the device wait for the recorder process, but not for this one.
    this.#loop = run('losetup', '-f', '--show', file);
    mkdirSync(this.path);
    run('mount', this.#loop, this.path);
    this.#isMounted = true;
  }

  /** All that the disk was asked so far. */
  events(): BlockEvent[] {
    return readBlockLog(this.#logPath);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isMounted) run('umount', this.path);
    this.#isMounted = false;
    if (this.#loop !== undefined) run('losetup', '-d', this.#loop);
    this.#loop = undefined;
    if (this.#fuse.end === undefined) {
      // losetup -d may return while the kernel still holds the file
      await eventually(
        () => {
          run('umount', this.#fuseDirectory);
          return true;
        },
        { message: 'nbdfuse to let go' },
      ).catch(() => this.#fuse.process.kill('SIGKILL'));
      await this.#fuse.ended;
    }
    await this.#recorder.kill();
  }
}
