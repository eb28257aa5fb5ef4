import { MemoryFiles, type Files } from '../../src/broker/index.ts';

type File = Awaited<ReturnType<Files['open']>>;

/** Files in memory whose writes and syncs do not end while they are held. */
export class HeldFiles extends MemoryFiles {
  #held: (() => void)[] | undefined = undefined;

  hold(): void {
    this.#held = [];
  }

  [Symbol.dispose](): void {
    this.letGo();
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const goOn of held) goOn();
  }

  override async open(...args: Parameters<MemoryFiles['open']>): Promise<File> {
    const file = await super.open(...args);
    const sync = file.sync.bind(file);
    const write = file.write.bind(file);
    file.sync = async () => {
      await this.#gate();
      await sync();
    };
    file.write = async (bytes, position) => {
      await this.#gate();
      await write(bytes, position);
    };
    return file;
  }

  #gate(): Promise<void> {
    if (!this.#held) return Promise.resolve();
    return new Promise((resolve) => this.#held!.push(resolve));
  }
}
