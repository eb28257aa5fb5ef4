import { formatCount, formatDuration } from './format.ts';

/**
 * A progress bar is one line on stderr that is redrawn during long work. It shows only on a terminal, and is
 * cleared at the end, so that only the result remains.
 */
export class ProgressBar implements Disposable {
  readonly #total: number | undefined;
  readonly #label: string;
  readonly #write: ((text: string) => void) | undefined;
  readonly #startedMs = performance.now();
  #drawnMs = -Infinity;
  #isShown = false;

  constructor(
    label: string,
    total: number | undefined,
    stream: { readonly isTTY?: boolean; write(text: string): unknown },
  ) {
    this.#label = label;
    this.#total = total;
    this.#write = stream.isTTY ? (text) => void stream.write(text) : undefined;
  }

  update(done: number): void {
    const nowMs = performance.now();
    if (!this.#write || nowMs - this.#drawnMs < 100) return;
    this.#drawnMs = nowMs;
    this.#isShown = true;
    this.#write(`\r\u001B[K${renderProgress(this.#label, done, this.#total, nowMs - this.#startedMs)}`);
  }

  /** Clears the line, so that other output can be printed; the next update draws it again. */
  hide(): void {
    if (this.#isShown) this.#write?.('\r\u001B[K');
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    this.hide();
  }
}

const barWidth = 24;

/** `redriving [██████------------------]  25%  250 of 1,000  500/s  1s left`. */
export function renderProgress(
  label: string,
  done: number,
  total: number | undefined,
  elapsedMs: number,
): string {
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  const rate = `${formatCount(perSecond)}/s`;
  if (total === undefined || total <= 0) return `${label}  ${formatCount(done)}  ${rate}`;
  const share = Math.min(1, done / total);
  const full = Math.round(share * barWidth);
  const bar = '█'.repeat(full) + '-'.repeat(barWidth - full);
  const leftMs = perSecond > 0 ? ((total - done) / perSecond) * 1000 : undefined;
  const left = leftMs === undefined || share === 1 ? '' : `  ${formatDuration(leftMs)} left`;
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `${label} [${bar}] ${percent}%  ${formatCount(done)} of ${formatCount(total)}  ${rate}${left}`;
}
