import type { Files } from './files.ts';
import { quarantineDirName } from './format.ts';

/** The quarantine is the directory for damaged or unknown files. The log never removes anything from it. */
export class Quarantine {
  readonly #files: Files;
  readonly #dataDir: string;
  /** Files that this run put there, relative to the data directory. */
  readonly names: string[] = [];

  constructor(files: Files, dataDir: string) {
    this.#files = files;
    this.#dataDir = dataDir;
  }

  /** Keeps a copy of bytes; returns its path. */
  async keep(name: string, bytes: Uint8Array): Promise<string> {
    const kept = await this.#freeName(name);
    const file = await this.#files.open(`${this.#dataDir}/${kept}`, { create: true });
    try {
      await file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.syncDir(`${this.#dataDir}/${quarantineDirName}`);
    return kept;
  }

  /** Moves a file or directory out of the way; returns its new path. */
  async move(path: string, name: string): Promise<string> {
    const kept = await this.#freeName(name);
    await this.#files.rename(path, `${this.#dataDir}/${kept}`);
    await this.#files.syncDir(`${this.#dataDir}/${quarantineDirName}`);
    await this.#files.syncDir(path.slice(0, path.lastIndexOf('/')));
    return kept;
  }

  async #freeName(name: string): Promise<string> {
    const dir = `${this.#dataDir}/${quarantineDirName}`;
    await this.#files.makeDir(dir);
    const taken = new Set(await this.#files.list(dir));
    let free = name;
    for (let i = 2; taken.has(free); i++) free = `${name}.${i}`;
    const kept = `${quarantineDirName}/${free}`;
    this.names.push(kept);
    return kept;
  }
}
