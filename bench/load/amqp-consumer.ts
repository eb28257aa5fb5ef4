import { FrameType, frameHeadBytes, methodFrame, methods } from '../../src/wire/amqp/index.ts';
import { AmqpSocket, channel, frameBytesAt, wireId } from './amqp-socket.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';

type Job = LoadJob & { kind: 'amqp-consumer' };

const deliverId = wireId(methods.basic.deliver);
const oneAck = methodFrame(channel, methods.basic.ack, { deliveryTag: 0, multiple: false });
const tagAt = frameHeadBytes + 4;

/** An AMQP consumer receives the messages of one queue and acks each of them by itself. */
export class AmqpConsumer implements Generator {
  readonly #socket: AmqpSocket;
  readonly #job: Job;

  private constructor(socket: AmqpSocket, job: Job) {
    this.#socket = socket;
    this.#job = job;
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<AmqpConsumer> {
    const socket = await AmqpSocket.connect(job.port, onFailure);
    const { basic } = methods;
    const { prefetch: prefetchCount } = job;
    await socket.call(basic.qos, { prefetchSize: 0, prefetchCount, global: false }, basic.qosOk);
    return new AmqpConsumer(socket, job);
  }

  run(): Promise<Count> {
    const { queue, messages } = this.#job;
    return new Promise((resolve) => {
      const startMs = nowMs();
      let received = 0;
      this.#socket.reader = (buffer, end) => {
        const [used, count] = this.#take(buffer, end);
        received += count;
        if (count > 0 && received >= messages) resolve({ messages: received, startMs, endMs: nowMs() });
        return used;
      };
      const flags = { noLocal: false, noAck: false, exclusive: false, noWait: true };
      const consume = { reserved1: 0, queue, consumerTag: 'c', ...flags, arguments: new Map() };
      this.#socket.write(methodFrame(channel, methods.basic.consume, consume));
    });
  }

  /**
   * The connection ends with the process, after the bench has seen that all acks count: RabbitMQ may lose
   * acks that it holds back when a channel is closed.
   */
  end(): void {}

  /** Acks the deliveries in `buffer[0, end)`; returns the bytes used and the number of messages. */
  #take(buffer: Buffer, end: number): [used: number, messages: number] {
    const tags: number[] = [];
    let position = 0;
    for (;;) {
      const bytes = frameBytesAt(buffer, position, end);
      if (bytes === undefined) break;
      const start = position + frameHeadBytes;
      if (buffer[position] === FrameType.method && buffer.readUInt32BE(start) === deliverId) {
        const tag = start + 4 + 1 + buffer[start + 4]!;
        tags.push(buffer.readUInt32BE(tag) * 2 ** 32 + buffer.readUInt32BE(tag + 4));
      } else if (buffer[position] === FrameType.method) this.#socket.handleFrame(buffer, position, bytes);
      position += bytes;
    }
    if (tags.length > 0) this.#ack(tags);
    return [position, tags.length];
  }

  #ack(tags: readonly number[]): void {
    const bytes = Buffer.allocUnsafe(tags.length * oneAck.length);
    for (const [i, tag] of tags.entries()) {
      const at = i * oneAck.length;
      oneAck.copy(bytes, at);
      bytes.writeUInt32BE(Math.floor(tag / 2 ** 32), at + tagAt);
      bytes.writeUInt32BE(tag % 2 ** 32, at + tagAt + 4);
    }
    this.#socket.write(bytes);
  }
}
