import type { Clock } from '../../util/index.ts';
import { LargeBuffers } from './large-buffers.ts';
import type { Output } from './output.ts';
import { SegmentPool } from './segment-pool.ts';

/**
 * The flusher writes the outputs of all connections once the input at hand has been handled. Each output gets
 * one write for everything that a chunk (or a commit) added to it.
 */
export class Flusher {
  readonly segments: SegmentPool = new SegmentPool();
  /** Buffers that outputs send from without a copy. */
  readonly large: LargeBuffers = new LargeBuffers();
  readonly #clock: Clock;
  #waiting: Output[] = [];
  #spare: Output[] = [];
  readonly #busy = new Set<Output>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.monotonic();
  }

  /** Outputs whose sockets have not taken everything that was written. */
  get busyOutputs(): ReadonlySet<Output> {
    return this.#busy;
  }

  /** Schedules a flush of an output that was empty until now. */
  add(output: Output): void {
    // Runs after the events that the kernel has reported so far, because chunks of other connections may
    // still add to the output.
    if (this.#waiting.length === 0) setImmediate(this.#run);
    this.#waiting.push(output);
  }

  busy(output: Output): void {
    output.busySinceMs = this.nowMs();
    this.#busy.add(output);
  }

  idle(output: Output): void {
    this.#busy.delete(output);
  }

  readonly #run = (): void => {
    const outputs = this.#waiting;
    this.#waiting = this.#spare;
    for (let i = 0; i < outputs.length; i++) outputs[i]!.flush();
    outputs.length = 0;
    this.#spare = outputs;
  };
}
