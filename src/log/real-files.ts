import * as fs from 'node:fs';
import { lockDirectory } from './directory-lock.ts';
import type { DirectoryLock, File, Files, OpenOptions } from './files.ts';
import { identityOf, openRealFile } from './real-file.ts';
import { done, result } from './system-call.ts';

/** Messages are private: `rwx------`, even if the process's umask would allow more. */
const dirMode = 0o700;
const othersMode = 0o077;

/** The files of the machine. */
export class RealFiles implements Files {
  open(path: string, options: OpenOptions = {}): Promise<File> {
    return openRealFile(path, options);
  }

  async list(dir: string): Promise<string[]> {
    const names = await result<string[]>((callback) => fs.readdir(dir, callback));
    return names.sort();
  }

  makeDir(path: string): Promise<void> {
    return done((callback) => fs.mkdir(path, { recursive: true, mode: dirMode }, (error) => callback(error)));
  }

  rename(from: string, to: string): Promise<void> {
    return done((callback) => fs.rename(from, to, callback));
  }

  remove(path: string): Promise<void> {
    return done((callback) => fs.unlink(path, callback));
  }

  removeDir(path: string): Promise<void> {
    return done((callback) => fs.rmdir(path, callback));
  }

  async syncDir(path: string): Promise<void> {
    const descriptor = await result<number>((callback) => fs.open(path, fs.constants.O_RDONLY, callback));
    try {
      await done((callback) => fs.fsync(descriptor, callback));
    } finally {
      await done((callback) => fs.close(descriptor, callback));
    }
  }

  size(path: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      fs.stat(path, (error, stats) => {
        if (!error) resolve(stats.isFile() ? stats.size : undefined);
        else if (error.code === 'ENOENT') resolve(undefined);
        else reject(error);
      });
    });
  }

  identify(path: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      fs.stat(path, { bigint: true }, (error, stats) => {
        if (!error) resolve(identityOf(stats));
        else if (error.code === 'ENOENT' || error.code === 'ENOTDIR') resolve(undefined);
        else reject(error);
      });
    });
  }

  async makePrivate(dir: string): Promise<void> {
    const { mode } = await result<fs.Stats>((callback) => fs.stat(dir, callback));
    if ((mode & othersMode) === 0) return;
    await done((callback) => fs.chmod(dir, mode & 0o7777 & ~othersMode, callback)).catch(() => {});
  }

  async space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    const { bavail, blocks, bsize } = await result<fs.StatsFs>((callback) => fs.statfs(path, callback));
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  }

  lock(dir: string): Promise<DirectoryLock> {
    return lockDirectory(dir);
  }
}
