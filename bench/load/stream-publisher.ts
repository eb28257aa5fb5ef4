import { AckCounter } from './ack-counter.ts';
import { encodePublish, encodeRing, token, type Ring } from './encode.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { NatsSocket } from './nats-socket.ts';
import { runWindowed } from './windowed.ts';

const inbox = '_INBOX.publisher00000000000000';

/**
 * A stream publisher keeps `window` messages unacked: for every ack it sends one more message. Each message
 * in the window has a reply subject of its own below one inbox, as in real clients.
 */
export class StreamPublisher implements Generator {
  readonly #socket: NatsSocket;
  readonly #job: LoadJob & { kind: 'stream-publisher' };
  readonly #ring: Ring;
  #place = 0;
  #onAcks: (acks: number) => void = () => {};

  private constructor(socket: NatsSocket, job: LoadJob & { kind: 'stream-publisher' }) {
    const { subjects } = job;
    this.#socket = socket;
    this.#job = job;
    this.#ring = encodeRing(Math.ceil(job.window / subjects.length) * subjects.length, (index) =>
      encodePublish(subjects[index % subjects.length] ?? '', `${inbox}.${token(index)}`, job.payloadBytes),
    );
    void new AckCounter(socket, (acks) => this.#onAcks(acks));
  }

  static async open(
    job: LoadJob & { kind: 'stream-publisher' },
    onFailure: (error: Error) => void,
  ): Promise<StreamPublisher> {
    const socket = await NatsSocket.connect(job.port, onFailure);
    await socket.flush(`SUB ${inbox}.* 1\r\n`);
    return new StreamPublisher(socket, job);
  }

  run(): Promise<Count> {
    const { window, seconds, messages } = this.#job;
    return runWindowed({
      window,
      seconds,
      messages,
      send: (count) => this.#send(count),
      onAnswers: (answered) => (this.#onAcks = answered),
    });
  }

  end(): void {
    this.#socket.end();
  }

  /**
   * Writes the next frames of the ring without encoding. It need not wait for drain: the window is the bound.
   */
  #send(frames: number): void {
    const { bytes, frameBytes, frames: ringFrames } = this.#ring;
    while (frames > 0) {
      const run = Math.min(frames, ringFrames - this.#place);
      this.#socket.write(bytes.subarray(this.#place * frameBytes, (this.#place + run) * frameBytes));
      this.#place = (this.#place + run) % ringFrames;
      frames -= run;
    }
  }
}
