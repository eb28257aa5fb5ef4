import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, fsyncSync, openSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nowMs } from './load/index.ts';
import { quantile } from './statistics.ts';

const samples = 200;
const blockBytes = 4096;

const fileSystems: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlay',
  0x2fc12fc1: 'zfs',
};

export function fileSystemOf(directory: string): string {
  const { type } = statfsSync(directory);
  return fileSystems[type] ?? `type 0x${type.toString(16)}`;
}

/**
 * Median time of one write of 4 KiB over existing blocks and its fdatasync, both synchronous, in
 * microseconds.
 */
export function syncLatencyUs(directory: string): number {
  const file = openSync(join(directory, 'sync-latency'), 'w');
  try {
    const block = Buffer.alloc(blockBytes, 1);
    for (let index = 0; index < samples; index++) writeSync(file, block, 0, blockBytes, index * blockBytes);
    fsyncSync(file);
    const times: number[] = [];
    for (let index = 0; index < samples; index++) {
      const startMs = nowMs();
      writeSync(file, block, 0, blockBytes, index * blockBytes);
      fdatasyncSync(file);
      times.push((nowMs() - startMs) * 1e3);
    }
    return quantile(
      times.sort((a, b) => a - b),
      0.5,
    );
  } finally {
    closeSync(file);
  }
}

/** Writes out the page cache of the file system of a directory. */
export function settleDisk(directory: string): void {
  // Only GNU coreutils has -f, which syncs one file system; elsewhere everything is synced.
  const one = process.platform === 'linux' ? spawnSync('sync', ['-f', directory]) : undefined;
  if (one?.status !== 0) spawnSync('sync');
}
