import { letterM, lineFeed, readFrame } from './frame.ts';
import type { Link } from './nats-socket.ts';

/**
 * A message counter counts MSG frames of one size: it divides the bytes by that size and checks only where
 * the last frame ends. A PING in between breaks the check; those bytes are then read frame by frame.
 */
export class MessageCounter {
  readonly #link: Link;
  readonly #onMessages: (messages: number) => void;
  #frameBytes = 0;

  constructor(link: Link, onMessages: (messages: number) => void) {
    this.#link = link;
    this.#onMessages = onMessages;
    link.reader = (buffer, end) => this.#read(buffer, end);
  }

  #read(buffer: Buffer, end: number): number {
    const size = this.#frameBytes;
    const whole = size === 0 ? 0 : Math.floor(end / size);
    const last = whole * size;
    const isAligned =
      whole > 0 && buffer[last - 1] === lineFeed && (last === end || buffer[last] === letterM);
    if (isAligned) {
      this.#onMessages(whole);
      return last;
    }
    return this.#readSlowly(buffer, end);
  }

  #readSlowly(buffer: Buffer, end: number): number {
    let position = 0;
    let messages = 0;
    for (;;) {
      const frame = position < end ? readFrame(buffer, position, end) : undefined;
      if (frame === undefined) break;
      if (frame.kind === 'message') {
        this.#frameBytes = frame.end - position;
        messages++;
      } else {
        this.#link.handleControl(frame);
      }
      position = frame.end;
    }
    if (messages > 0) this.#onMessages(messages);
    return position;
  }
}
