/**
 * A rate is how often something happened per second, over about the last ten seconds.
 *
 * The count is exact. The rate is an exponentially weighted mean, updated when it is read.
 */
export class Rate {
  count = 0;
  #countBefore = 0;
  #perSecond = 0;
  #atMs = -1;

  /** Events per second as of `nowMs` (monotonic). */
  perSecond(nowMs: number): number {
    if (this.#atMs < 0) {
      this.#atMs = nowMs;
      this.#countBefore = this.count;
      return 0;
    }
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs < sampleMs) return this.#perSecond;
    const sample = ((this.count - this.#countBefore) * 1000) / elapsedMs;
    const weight = 1 - Math.exp(-elapsedMs / meanMs);
    this.#perSecond += (sample - this.#perSecond) * weight;
    if (this.#perSecond < 0.001) this.#perSecond = 0;
    this.#atMs = nowMs;
    this.#countBefore = this.count;
    return this.#perSecond;
  }
}

const sampleMs = 500;
const meanMs = 10_000;
