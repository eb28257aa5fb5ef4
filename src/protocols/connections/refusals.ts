import type { Socket } from 'node:net';
import type { Clock } from '../../util/index.ts';

/**
 * The most refused clients that are told the reason at a time; beyond that, connections are closed without a
 * reason.
 */
const lingeringMax = 16;
/** The time that a client has for reading the reason. */
const lingerMs = 1_000;

/**
 * Refusals tell clients that the server has no room for them. Each refusal keeps a file descriptor until the
 * client has left. Their number and time are bounded, so that refused clients cannot take the descriptors
 * that admitted clients need.
 */
export class Refusals {
  readonly #clock: Clock;
  #lingering = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Closes the connection, after sending `words` if there are any. */
  refuse(socket: Socket, words?: string | Uint8Array): void {
    socket.on('error', () => socket.destroy());
    if (words === undefined || this.#lingering >= lingeringMax) {
      socket.destroy();
      return;
    }
    this.#lingering++;
    const timer = this.#clock.setTimer(lingerMs, () => socket.destroy());
    socket.once('close', () => {
      this.#lingering--;
      timer.cancel();
    });
    socket.end(words);
    socket.resume(); // unread input would turn the close into a reset, which may overtake the words
  }
}
