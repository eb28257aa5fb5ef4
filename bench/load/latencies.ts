import { quantile } from '../statistics.ts';
import type { Latency } from './job.ts';

const samplesMax = 1 << 20;

/** Latencies records how long single operations took; past a million it overwrites the oldest. */
export class Latencies {
  readonly #samplesUs: Float64Array = new Float64Array(samplesMax);
  #count = 0;

  add(us: number): void {
    this.#samplesUs[this.#count++ % samplesMax] = us;
  }

  summary(): Latency {
    const sorted = this.#samplesUs.slice(0, Math.min(this.#count, samplesMax)).sort();
    return { p50Us: quantile(sorted, 0.5), p99Us: quantile(sorted, 0.99) };
  }
}
