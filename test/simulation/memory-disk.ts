import { MemoryFiles } from '../../src/log/index.ts';
import type { Disk } from './disk.ts';

/** A disk that never fails and forgets nothing: to tell mistakes of the broker from mistakes about the disk. */
export class MemoryDisk implements Disk {
  readonly files: MemoryFiles;
  readonly isDamaged: boolean = false;

  constructor(files: MemoryFiles = new MemoryFiles()) {
    this.files = files;
  }

  fault(): void {}

  takeFaults(): number {
    return 0;
  }

  afterCrash(): Disk {
    return new MemoryDisk(this.files.copy());
  }
}
