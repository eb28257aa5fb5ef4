import { closingBrace, letterM, lineFeed, readFrame } from './frame.ts';
import type { Link } from './nats-socket.ts';

/**
 * An ack counter counts publish acks. An ack is as long as the previous one, unless its sequence has one more
 * digit. So the end of the next frame is predicted, and only its first byte and its last three are checked.
 * Frames that do not fit are parsed in full. An ack with an error ends the run.
 */
export class AckCounter {
  readonly #link: Link;
  readonly #onAcks: (acks: number) => void;
  #frameBytes = 0;

  constructor(link: Link, onAcks: (acks: number) => void) {
    this.#link = link;
    this.#onAcks = onAcks;
    link.reader = (buffer, end) => this.#read(buffer, end);
  }

  #read(buffer: Buffer, end: number): number {
    let position = 0;
    let acks = 0;
    let size = this.#frameBytes;
    while (position < end) {
      const next = position + size;
      // Without this branch the generator parses every ack, and needs a third of a core per million of them.
      if (
        size > 0 &&
        next <= end &&
        buffer[next - 1] === lineFeed &&
        buffer[next - 3] === closingBrace &&
        buffer[position] === letterM
      ) {
        acks++;
        position = next;
        continue;
      }
      const frame = readFrame(buffer, position, end);
      if (frame === undefined) break;
      if (frame.kind === 'message') {
        requireAck(buffer.toString('latin1', frame.payloadPosition, frame.payloadEnd), frame.status);
        size = frame.end - position;
        acks++;
      } else {
        this.#link.handleControl(frame);
      }
      position = frame.end;
    }
    this.#frameBytes = size;
    if (acks > 0) this.#onAcks(acks);
    return position;
  }
}

function requireAck(payload: string, status: string): void {
  if (status !== '') throw new Error(`a publish was answered with status ${status}: is there a stream?`);
  if (payload.includes('"error"') || !payload.includes('"seq"')) {
    throw new Error(`a publish was refused: ${payload.slice(0, 200)}`);
  }
}
