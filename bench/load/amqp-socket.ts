import type { Socket } from 'node:net';
import {
  FrameType,
  frameHeadBytes,
  frameOverheadBytes,
  methodFrame,
  methods,
  protocolHeader,
  readArguments,
  Reader,
  type Arguments,
  type Method,
} from '../../src/wire/amqp/index.ts';
import { connectLoopback } from './connect-loopback.ts';

/** Takes what was read, `buffer[0, end)`, and returns the position after the last whole frame. */
type FrameReader = (buffer: Buffer, end: number) => number;

interface Call {
  readonly answer: Method;
  resolve(values: unknown): void;
  reject(error: Error): void;
}

const readBufferBytes = 512 * 1024;
export const channel = 1;
export const frameBytesMax = 131_072;

/** The ids of a method, as on the wire. */
export function wireId({ id: [classId, methodId] }: Method): number {
  return classId * 65_536 + methodId;
}

/** The bytes of the frame at `position`; undefined if it is not complete. */
export function frameBytesAt(buffer: Buffer, position: number, end: number): number | undefined {
  if (end - position < frameOverheadBytes) return undefined;
  const bytes = buffer.readUInt32BE(position + 3) + frameOverheadBytes;
  return end - position < bytes ? undefined : bytes;
}

/**
 * An AMQP socket is a connection of a very cheap client, with one channel. All reads go into one buffer,
 * after the incomplete frame left by the last read, so frames are always contiguous.
 */
export class AmqpSocket {
  readonly #socket: Socket;
  readonly #buffer: Buffer;
  readonly #onFailure: (error: Error) => void;
  readonly #calls: Call[] = [];
  #held = 0;
  #hasEnded = false;
  #reader: FrameReader = (buffer, end) => this.#readControl(buffer, end);

  private constructor(port: number, readBytes: number, onFailure: (error: Error) => void) {
    this.#buffer = Buffer.allocUnsafeSlow(readBytes);
    this.#onFailure = onFailure;
    this.#socket = connectLoopback(port, {
      buffer: () => this.#buffer.subarray(this.#held),
      onBytes: (bytes) => this.#onBytes(bytes),
      onFailure: (error) => this.#fail(error),
    });
  }

  /** Resolves when channel 1 is open. */
  static async connect(
    port: number,
    onFailure: (error: Error) => void,
    readBytes: number = readBufferBytes,
  ): Promise<AmqpSocket> {
    let isOpen = false;
    const socket = new AmqpSocket(port, readBytes, (error) => {
      if (isOpen) onFailure(error);
    });
    await socket.#open();
    isOpen = true;
    return socket;
  }

  async #open(): Promise<void> {
    const { connection, channel: channels } = methods;
    this.write(protocolHeader);
    await this.#expect(connection.start);
    const login = { mechanism: 'PLAIN', response: Buffer.from('\0guest\0guest'), locale: 'en_US' };
    this.#send(0, connection.startOk, { clientProperties: new Map([['product', 'bench']]), ...login });
    const { channelMax } = await this.#expect(connection.tune);
    this.#send(0, connection.tuneOk, { channelMax, frameMax: frameBytesMax, heartbeat: 0 });
    this.#send(0, connection.open, { virtualHost: '/', reserved1: '', reserved2: false });
    await this.#expect(connection.openOk);
    await this.call(channels.open, { reserved1: '' }, channels.openOk);
  }

  set reader(reader: FrameReader) {
    this.#reader = reader;
  }

  /** Returns false if the bytes wait for the kernel. */
  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  /** Sends a method and waits for its answer. */
  call<M extends Method, A extends Method>(
    method: M,
    values: Arguments<M>,
    answer: A,
  ): Promise<Arguments<A>> {
    this.#send(channel, method, values);
    return this.#expect(answer);
  }

  /** Takes a frame that a reader has no use for. */
  handleFrame(buffer: Buffer, position: number, bytes: number): void {
    if (buffer[position] !== FrameType.method) return;
    const reader = new Reader(buffer, position + frameHeadBytes, position + bytes - 1);
    const id = reader.u16() * 65_536 + reader.u16();
    const [call] = this.#calls;
    if (call && wireId(call.answer) === id) {
      this.#calls.shift();
      return call.resolve(readArguments(call.answer, reader));
    }
    for (const close of [methods.connection.close, methods.channel.close])
      if (wireId(close) === id) throw new Error(`the server said: ${readArguments(close, reader).replyText}`);
    throw new Error(`an unexpected method ${id >>> 16}.${id & 0xffff}`);
  }

  end(): void {
    this.#hasEnded = true;
    this.#socket.destroy();
  }

  #send<M extends Method>(number: number, method: M, values: Arguments<M>): void {
    this.write(methodFrame(number, method, values));
  }

  #expect<A extends Method>(answer: A): Promise<Arguments<A>> {
    return new Promise((resolve, reject) =>
      this.#calls.push({ answer, resolve: (values) => resolve(values as Arguments<A>), reject }),
    );
  }

  #readControl(buffer: Buffer, end: number): number {
    let position = 0;
    for (;;) {
      const bytes = frameBytesAt(buffer, position, end);
      if (bytes === undefined) return position;
      this.handleFrame(buffer, position, bytes);
      position += bytes;
    }
  }

  #onBytes(bytes: number): boolean {
    const end = this.#held + bytes;
    try {
      const used = this.#reader(this.#buffer, end);
      if (used > 0 && used < end) this.#buffer.copyWithin(0, used, end);
      this.#held = end - used;
      if (this.#held === this.#buffer.length)
        throw new Error(`a frame is larger than ${this.#buffer.length} bytes`);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #fail(error: Error): void {
    if (this.#hasEnded) return;
    this.end();
    for (const call of this.#calls.splice(0)) call.reject(error);
    this.#onFailure(error);
  }
}
