import { nowMs } from './load/index.ts';

/** The output of progress: stderr, or an object like it. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const barWidth = 24;

/**
 * Progress shows how far a run has come: a bar that stays in place on a terminal, one line per step
 * elsewhere.
 */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #startMs: number = nowMs();
  #steps = 0;
  #done = 0;
  #doing = '';

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  start(steps: number): void {
    this.#steps = steps;
  }

  show(doing: string): void {
    this.#doing = doing;
    if (this.#output.isTTY === true) this.#draw();
    else this.#output.write(`${this.#done}/${this.#steps} ${doing}\n`);
  }

  step(): void {
    this.#done++;
    if (this.#output.isTTY === true) this.#draw();
  }

  /** Prints a line that stays. */
  say(line: string): void {
    this.#erase();
    this.#output.write(`${line}\n`);
  }

  end(): void {
    this.#erase();
  }

  #erase(): void {
    if (this.#output.isTTY === true) this.#output.write('\r\x1b[K');
  }

  #draw(): void {
    const share = this.#steps === 0 ? 0 : this.#done / this.#steps;
    const filled = Math.round(share * barWidth);
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
    const leftMs = (nowMs() - this.#startMs) * (1 / share - 1);
    const line = `${bar} ${this.#done}/${this.#steps}${timeLeft(leftMs)}  ${this.#doing}`;
    // Some terminals report 0 columns.
    const columns = this.#output.columns || 80;
    this.#output.write(`\r\x1b[K${line.slice(0, columns - 1)}`);
  }
}

function timeLeft(ms: number): string {
  if (!Number.isFinite(ms)) return '';
  const seconds = Math.ceil(ms / 1e3);
  return seconds < 100 ? `, ${seconds} s left` : `, ${Math.ceil(seconds / 60)} min left`;
}
