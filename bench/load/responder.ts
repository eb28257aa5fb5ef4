import { nowMs } from './clock.ts';
import { encodePublish } from './encode.ts';
import { readFrame } from './frame.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { NatsSocket } from './nats-socket.ts';

/** A responder answers every request, one frame at a time. Requests come singly, so speed does not matter. */
export class Responder implements Generator {
  readonly #socket: NatsSocket;
  readonly #payloadBytes: number;
  readonly #startMs: number = nowMs();
  #messages = 0;
  #finished: (count: Count) => void = () => {};

  private constructor(socket: NatsSocket, payloadBytes: number) {
    this.#socket = socket;
    this.#payloadBytes = payloadBytes;
    socket.reader = (buffer, end) => this.#read(buffer, end);
  }

  static async open(
    job: LoadJob & { kind: 'responder' },
    onFailure: (error: Error) => void,
  ): Promise<Responder> {
    const socket = await NatsSocket.connect(job.port, onFailure);
    await socket.flush(`SUB ${job.subject} 1\r\n`);
    return new Responder(socket, job.payloadBytes);
  }

  run(): Promise<Count> {
    return new Promise((resolve) => (this.#finished = resolve));
  }

  finish(): void {
    this.#finished({ messages: this.#messages, startMs: this.#startMs, endMs: nowMs() });
  }

  end(): void {
    this.#socket.end();
  }

  #read(buffer: Buffer, end: number): number {
    let position = 0;
    let answers = '';
    for (;;) {
      const frame = position < end ? readFrame(buffer, position, end) : undefined;
      if (frame === undefined) break;
      if (frame.kind === 'message') {
        answers += encodePublish(frame.reply, '', this.#payloadBytes);
        this.#messages++;
      } else {
        this.#socket.handleControl(frame);
      }
      position = frame.end;
    }
    if (answers !== '') this.#socket.write(answers);
    return position;
  }
}
