import { FrameType, frameHeadBytes, methods } from '../../src/wire/amqp/index.ts';
import { frameBytesAt, wireId, type AmqpSocket } from './amqp-socket.ts';

const ackId = wireId(methods.basic.ack);
const nackId = wireId(methods.basic.nack);

/**
 * AMQP confirms counts the acks of publishes, which are numbered from 1: single ones, in any order, and those
 * for all publishes up to a number. A nack ends the run.
 */
export class AmqpConfirms {
  readonly #socket: AmqpSocket;
  readonly #onConfirmed: (tag: number) => void;
  readonly #onRead: (confirmed: number) => void;
  /** All publishes up to this one are confirmed, and these beyond it. */
  #floor = 0;
  readonly #early = new Set<number>();

  /** `onConfirmed` hears of every publish, `onRead` of their number after each read. */
  constructor(
    socket: AmqpSocket,
    onRead: (confirmed: number) => void,
    onConfirmed: (tag: number) => void = () => {},
  ) {
    this.#socket = socket;
    this.#onRead = onRead;
    this.#onConfirmed = onConfirmed;
    socket.reader = (buffer, end) => this.#read(buffer, end);
  }

  #read(buffer: Buffer, end: number): number {
    let position = 0;
    let confirmed = 0;
    for (;;) {
      const bytes = frameBytesAt(buffer, position, end);
      if (bytes === undefined) break;
      const start = position + frameHeadBytes;
      const id = buffer[position] === FrameType.method ? buffer.readUInt32BE(start) : 0;
      if (id === ackId) {
        const tag = buffer.readUInt32BE(start + 4) * 2 ** 32 + buffer.readUInt32BE(start + 8);
        confirmed += buffer[start + 12] === 0 ? this.#confirm(tag) : this.#confirmUpTo(tag);
      } else if (id === nackId) throw new Error('a publish was refused');
      else this.#socket.handleFrame(buffer, position, bytes);
      position += bytes;
    }
    if (confirmed > 0) this.#onRead(confirmed);
    return position;
  }

  #confirm(tag: number): number {
    this.#onConfirmed(tag);
    if (tag === this.#floor + 1) this.#floor = tag;
    else this.#early.add(tag);
    while (this.#early.delete(this.#floor + 1)) this.#floor++;
    return 1;
  }

  #confirmUpTo(tag: number): number {
    let confirmed = 0;
    for (let each = this.#floor + 1; each <= tag; each++) {
      if (this.#early.delete(each)) continue;
      this.#onConfirmed(each);
      confirmed++;
    }
    this.#floor = Math.max(this.#floor, tag);
    while (this.#early.delete(this.#floor + 1)) this.#floor++;
    return confirmed;
  }
}
