import type { Socket } from 'node:net';
import type { Clock } from '../../util/index.ts';

/**
 * Clients that are being told why they are not let in, at most; beyond that a connection is cut without a
 * word.
 */
const lingeringMax = 16;
/** A client may take so long to read why. */
const lingerMs = 1_000;

/**
 * Refusals tell clients that there is no room for them. Each takes a descriptor until the client has left, so
 * there is a bound on their number and their time: otherwise those that are refused would take what those
 * inside need.
 */
export class Refusals {
  readonly #clock: Clock;
  #lingering = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Closes the connection, after `words` if there are any. */
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
