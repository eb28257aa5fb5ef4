import { heartbeatFrame } from '../../wire/amqp/index.ts';
import type { Output } from '../connections/index.ts';

/**
 * The heartbeats of a connection: it sends one when nothing else was sent for half an interval, and a client
 * that is silent for two intervals is gone.
 */
export class Heartbeats {
  readonly #output: Output;
  /** 0: no heartbeats. */
  #intervalMs = 0;
  /** Whether there was input since the last look. */
  #isHeard = true;
  #silentMs = 0;
  #unsentMs = 0;
  #sentBytes = 0;
  #lookedMs: number;

  constructor(output: Output, nowMs: number) {
    this.#output = output;
    this.#lookedMs = nowMs;
  }

  set intervalSeconds(seconds: number) {
    this.#intervalMs = seconds * 1000;
  }

  /** There was input. */
  heard(): void {
    this.#isHeard = true;
  }

  /**
   * Sends a heartbeat if it is time. False if the client was silent for too long; `isDeaf`: nothing was read
   * from it.
   */
  look(nowMs: number, isDeaf: boolean): boolean {
    const elapsedMs = nowMs - this.#lookedMs;
    if (this.#intervalMs === 0) return true;
    if (this.#isHeard || isDeaf) this.#silentMs = 0;
    else this.#silentMs += elapsedMs;
    this.#isHeard = false;
    this.#lookedMs = nowMs;
    if (this.#silentMs >= 2 * this.#intervalMs) return false;
    const output = this.#output;
    if (output.sentBytes === this.#sentBytes) {
      this.#unsentMs += elapsedMs;
      if (this.#unsentMs >= this.#intervalMs / 2) output.append(heartbeatFrame);
    }
    if (output.sentBytes !== this.#sentBytes) this.#unsentMs = 0;
    this.#sentBytes = output.sentBytes;
    return true;
  }
}
