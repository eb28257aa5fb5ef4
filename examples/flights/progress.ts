const barWidth = 30;
const drawIntervalMs = 100;

/** A progress bar on a terminal; elsewhere a line now and then. */
export class Progress {
  readonly #total: number;
  readonly #stream: NodeJS.WriteStream;
  readonly #startMs = performance.now();
  #drawnMs = -Infinity;
  #toldTenth = 0;

  constructor(total: number, stream: NodeJS.WriteStream) {
    this.#total = total;
    this.#stream = stream;
  }

  update(done: number): void {
    const share = Math.min(1, done / this.#total);
    if (!this.#stream.isTTY) {
      const tenth = Math.floor(share * 10);
      if (tenth > this.#toldTenth) this.#stream.write(`${tenth * 10}%  ${this.#count(done)}\n`);
      this.#toldTenth = tenth;
      return;
    }
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < drawIntervalMs && share < 1) return;
    this.#drawnMs = nowMs;
    const full = Math.round(share * barWidth);
    const rate = Math.round((done / (nowMs - this.#startMs)) * 1000).toLocaleString('en');
    const bar = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`;
    this.#stream.write(`\r\x1b[K${bar} ${this.#count(done)}  ${rate}/s`);
  }

  /** Prints a line that stays. */
  say(line: string): void {
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`);
  }

  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }

  #count(done: number): string {
    return `${done.toLocaleString('en')} of ${this.#total.toLocaleString('en')} handled`;
  }
}
