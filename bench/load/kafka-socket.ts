import { connect, type Socket } from 'node:net';
import type { KafkaLogin } from './job.ts';
import {
  FrameSplitter,
  Writer,
  apis,
  readResponse,
  readResponseHeader,
  writeRequest,
  type Api,
  type ApiName,
  type Fields,
  type RequestDraft,
  type ResponseOf,
} from '../../src/wire/kafka/index.ts';

const frameBytesMax = 2 ** 30;
const clientId = 'bench';

/**
 * A Kafka socket is a connection of a very cheap Kafka client: requests are encoded once, answers are
 * counted.
 */
export class KafkaSocket {
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter(frameBytesMax);
  #onFrame: (frame: Buffer) => void = () => {};

  private constructor(socket: Socket, onFailure: (error: Error) => void) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#splitter.push(chunk);
      for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) this.#onFrame(frame);
    });
    socket.on('error', onFailure);
    socket.on('end', () => onFailure(new Error('the server ended the connection')));
  }

  static connect(port: number, onFailure: (error: Error) => void): Promise<KafkaSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new KafkaSocket(socket, onFailure));
      });
    });
  }

  /** Logs in by SASL PLAIN. */
  async logIn({ user, password }: KafkaLogin): Promise<void> {
    const { errorCode } = await this.call('SaslHandshake', 1, { mechanism: 'PLAIN' });
    if (errorCode !== 0) throw new Error(`SASL PLAIN was refused with error ${errorCode}`);
    const authBytes = Buffer.from(`\0${user}\0${password}`);
    const answer = await this.call('SaslAuthenticate', 1, { authBytes });
    if (answer.errorCode !== 0) throw new Error(`the login was refused: ${answer.errorMessage}`);
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  onFrame(callback: (frame: Buffer) => void): void {
    this.#onFrame = callback;
  }

  /** Sends one request and waits for its answer, with nothing else in flight. */
  async call<N extends ApiName>(name: N, version: number, request: RequestDraft<N>): Promise<ResponseOf<N>> {
    const answered = new Promise<Buffer>((resolve) => this.onFrame(resolve));
    this.write(encodeRequest(name, version, request));
    const api = apis[name] as unknown as Api<Fields, Fields>;
    return readResponse(readResponseHeader(await answered), api, version) as ResponseOf<N>;
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** A whole request frame. */
export function encodeRequest<N extends ApiName>(name: N, version: number, request: RequestDraft<N>): Buffer {
  const writer = new Writer();
  writeRequest(writer, apis[name] as unknown as Api<Fields, Fields>, version, 1, clientId, request as never);
  return Buffer.concat(writer.take());
}
